import { expect } from 'chai';
import { defaultLabelFaults } from './default-labels.ts';
import { translateParameters } from './translate-parameters.ts';

const translated = (parameters: Readonly<Record<string, string>>, defaults: Readonly<Record<string, string>>) =>
  translateParameters(
    { serviceName: 's', servicePath: '/', port: '80', ...parameters },
    {
      owner: 'o',
      separator: ',',
      source: { kind: 'rest', by: 'a test' },
      updatedAt: '2026-01-02T03:04:05.000Z',
      nowMs: 1,
      defaults,
    },
  );

describe('DEFAULT_<LABEL>', () => {
  const auth = { FORWARD_AUTH: 'http://auth:1' };

  it('sets a label of the destination and of the service', () => {
    const { definition } = translated({}, { ...auth, RATE_LIMIT: '5/s' });
    expect(definition?.destinations[0]?.forwardAuth).to.deep.equal({ address: 'http://auth:1' });
    expect(definition?.rateLimit).to.deep.equal({ requests: 5, windowMs: 1000 });
    expect(definition?.requires).to.deep.equal(['rate-limit']);
    expect(definition?.destinations[0]?.requires).to.deep.equal(['forward-auth']);
  });

  it('gives way to the service’s own label, by a deprecated name too', () => {
    const { definition } = translated(
      { forwardAuth: 'http://own:1', addHeader: 'X-A own' },
      { ...auth, ADD_REQ_HEADER: 'X-A default' },
    );
    expect(definition?.destinations[0]?.forwardAuth).to.deep.equal({ address: 'http://own:1' });
    expect(definition?.addReqHeader).to.deep.equal([{ name: 'X-A', value: 'own' }]);
  });

  it('gives way to none', () => {
    const { definition, problems } = translated({ forwardAuth: 'none' }, auth);
    expect(definition?.destinations[0]?.forwardAuth).to.equal(undefined);
    expect(problems).to.deep.equal([]);
  });

  it('gives way to none of one destination', () => {
    const { definition } = translated(
      { 'servicePath.1': '/a', 'port.1': '80', 'servicePath.2': '/b', 'port.2': '80', 'forwardAuth.2': 'none' },
      auth,
    );
    expect(definition?.destinations.map(({ forwardAuth }) => forwardAuth === undefined)).to.deep.equal([false, true]);
  });

  it('is of the whole service where destinations carry their own', () => {
    const { definition } = translated({ 'servicePath.1': '/a', 'port.1': '80', 'forwardAuth.1': 'http://own:1' }, auth);
    expect(definition?.destinations[0]?.forwardAuth).to.deep.equal({ address: 'http://own:1' });
  });

  it('leaves none as it is where there is no default', () => {
    expect(translated({ forwardAuth: 'none' }, {}).definition).to.equal(undefined);
  });

  it('takes no variable of something else for a label', () => {
    expect(defaultLabelFaults({ ...auth, REGION: 'eu', SHELL_HISTORY: '1' }, ',')).to.deep.equal([]);
  });

  const wrong: readonly (readonly [string, string, string])[] = [
    ['FORWARD_AUTH', 'authelia', 'DEFAULT_FORWARD_AUTH="authelia": expected a URL'],
    ['RATE_LIMIT', 'much', 'DEFAULT_RATE_LIMIT="much": expected requests per time'],
    ['FORWARD_AUHT', 'http://a', 'expected DEFAULT_FORWARD_AUTH'],
    ['USERS', 'jane:', 'DEFAULT_USERS=(secret)'],
  ];
  for (const [name, value, message] of wrong)
    it(`refuses DEFAULT_${name}=${value}`, () => {
      expect(defaultLabelFaults({ [name]: value }, ',').join()).to.contain(message);
    });
});
