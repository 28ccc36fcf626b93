import { expect } from 'chai';
import { translate } from '../../test/translation.ts';
import type { LabelEntry } from '../catalogue/label-entry.ts';
import { destinationLabels, serviceLabels } from '../catalogue/labels.ts';
import { knownFeatures, lackingFeature, withRequires } from './required-features.ts';

describe('features that a definition requires', () => {
  // [labels beside a match, features of the service, of the destination]
  const cases: readonly [Record<string, string>, readonly string[] | undefined, readonly string[] | undefined][] = [
    [{}, undefined, undefined],
    [{ aclName: 'a', timeoutServer: '5', addReqHeader: 'X-A b' }, undefined, undefined],
    [{ users: 'jane:x' }, ['auth'], undefined],
    [{ usersSecret: 'ops' }, ['auth'], undefined],
    [
      { allowedAddresses: '10.0.0.0/8', users: 'jane:x', usersPassEncrypted: 'false' },
      ['allow-list', 'auth'],
      undefined,
    ],
    [{ maintenance: 'true', maintenancePage: '<p>', retryAfter: '60' }, ['maintenance'], undefined],
    [{ maintenance: 'false', maintenancePage: '<p>' }, undefined, undefined],
    [{ rateLimit: '5/s', rateLimitKey: 'ip' }, ['rate-limit'], undefined],
    [{ httpsOnly: 'true' }, undefined, ['https']],
    [{ httpsOnly: 'false', denyHttp: 'false' }, undefined, undefined],
    [{ denyHttp: 'true', httpsOnly: 'true' }, undefined, ['https']],
    [{ verifyClientSsl: 'true', allowedMethods: 'GET' }, undefined, ['client-certificate', 'methods']],
    [{ deniedMethods: 'PUT', servicePathExclude: '/x' }, undefined, ['methods']],
    [{ rule: 'Method(`GET`)', entryPorts: 'ssl', priority: '7' }, undefined, ['entry-ports', 'rule']],
  ];
  for (const [labels, ofService, ofDestination] of cases) {
    it(`${JSON.stringify(labels)} → ${JSON.stringify([ofService, ofDestination])}`, () => {
      const { definition } = translate({ serviceName: 'x', servicePath: '/', port: '80', ...labels });
      expect(definition?.requires).to.deep.equal(ofService);
      expect(definition?.destinations[0]?.requires).to.deep.equal(ofDestination);
      if (definition !== undefined) expect(withRequires(definition)).to.deep.equal(definition);
    });
  }

  // Every label of the catalogue that restricts, as a field of its own, of the service or of a destination.
  const restricting = [...Object.entries(serviceLabels), ...Object.entries(destinationLabels)].flatMap(
    ([field, { name, restricts }]: readonly [string, LabelEntry]) =>
      restricts === undefined ? [] : [{ field, name, restricts, isOfService: field in serviceLabels }],
  );
  for (const { field, name, restricts, isOfService } of restricting)
    it(`name ${restricts} where ${name} is set, and a reader that lacks it serves nothing`, () => {
      const { definition } = translate({ serviceName: 'x', servicePath: '/', port: '80' });
      if (definition === undefined) throw new Error('it is rejected');
      const older = new Set([...knownFeatures].filter((feature) => feature !== restricts));
      const withField = <T extends object>(fields: T): T => ({ ...fields, [field]: 'set' });
      const { destinations } = definition;
      const places = isOfService
        ? [
            withField(definition),
            { ...definition, destinations: destinations.map((each) => ({ ...each, overrides: withField({}) })) },
          ]
        : [{ ...definition, destinations: destinations.map(withField) }];
      for (const place of places) {
        const required = withRequires(place);
        const [destination] = required.destinations;
        if (destination === undefined) throw new Error('it has a destination');
        expect([...(required.requires ?? []), ...(destination.requires ?? [])]).to.include(restricts);
        expect(lackingFeature(required, destination, older)).to.equal(restricts);
        expect(lackingFeature(required, destination)).to.equal(undefined);
      }
    });

  it('are those of the one destination that uses them', () => {
    const { definition } = translate({
      serviceName: 'x',
      port: '80',
      'servicePath.1': '/',
      'servicePath.2': '/b',
      'denyHttp.2': 'true',
    });
    expect(definition?.destinations.map(({ requires }) => requires)).to.deep.equal([undefined, ['https']]);
  });

  it('are those of labels of the service that one destination has otherwise', () => {
    const { definition } = translate({
      serviceName: 'x',
      'servicePath.1': '/a',
      'port.1': '80',
      'servicePath.2': '/b',
      'port.2': '80',
      'allowedAddresses.2': '10.0.0.0/8',
      'users.2': 'ann:$2y$05$xSFW6BbaG1cxQRRM1OUPh./iZ8tcoAzgAS3eYs9IowsD9kLjbhipS',
    });
    const [first, second] = definition?.destinations ?? [];
    expect(first).to.not.have.any.keys('overrides', 'requires');
    expect(second?.overrides).to.deep.include({ allowedAddresses: ['10.0.0.0/8'], usersPassEncrypted: true });
    expect(second?.requires).to.deep.equal(['allow-list', 'auth', 'overrides']);
    const plain = translate({ serviceName: 'x', 'servicePath.1': '/a', 'port.1': '80', 'users.1': 'ann:opensesame' });
    expect(plain.definition).to.equal(undefined);
    expect(JSON.stringify(plain.problems)).to.include('hashes').and.not.include('opensesame');
  });

  it('are those of the fields that a destination has for itself', () => {
    const { definition } = translate({ serviceName: 'x', servicePath: '/', port: '80' });
    if (definition === undefined) throw new Error('it is rejected');
    const destinations = definition.destinations.map((each) => ({ ...each, overrides: { allowedAddresses: [] } }));
    const stated = withRequires({ ...definition, destinations });
    expect(stated.destinations[0]?.requires).to.deep.equal(['allow-list', 'overrides']);
    expect(stated.requires).to.equal(undefined);
  });

  it('are stated again without losing one that is unknown', () => {
    const { definition } = translate({ serviceName: 'x', servicePath: '/', port: '80', users: 'jane:x' });
    if (definition === undefined) throw new Error('it is rejected');
    expect(withRequires({ ...definition, requires: ['methods', 'later'] }).requires).to.deep.equal(['auth', 'later']);
  });

  it('block where one is unknown, on the service or on the destination', () => {
    for (const feature of knownFeatures) expect(lackingFeature({ requires: [feature] }, {})).to.equal(undefined);
    expect(lackingFeature({ requires: ['auth', 'later'] }, {})).to.equal('later');
    expect(lackingFeature({}, { requires: ['later'] })).to.equal('later');
    expect(lackingFeature({}, {}, new Set())).to.equal(undefined);
    expect(lackingFeature({ requires: ['auth'] }, {}, new Set())).to.equal('auth');
  });
});
