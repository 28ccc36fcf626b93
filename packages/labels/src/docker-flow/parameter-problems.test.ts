import { expect } from 'chai';
import { minimal, reasonsOf, translate } from '../../test/translation.ts';
import { findLabel, labelNames } from '../catalogue/labels.ts';

describe('translateParameters, what is wrong', () => {
  // [parameters, severity, `label: reason`]
  const wrong: readonly [Record<string, string>, 'error' | 'warning', string][] = [
    [{ servicePath: '/', port: '80' }, 'error', 'serviceName: service-name-missing'],
    [{ serviceName: 'a/b', servicePath: '/', port: '80' }, 'error', 'serviceName: service-name-invalid'],
    [{ serviceName: 'x', port: '80' }, 'error', 'servicePath: match-missing'],
    [{ serviceName: 'x', servicePath: '/' }, 'error', 'port: port-missing'],
    [{ serviceName: 'x', reqMode: 'tcp', port: '80' }, 'error', 'srcPort: tcp-ports-missing'],
    [{ serviceName: 'x', reqMode: 'sni', srcPort: '80' }, 'error', 'srcPort: tcp-ports-missing'],
    [{ serviceName: 'x', servicePath: '/', httpsPort: '443' }, 'error', 'port: port-missing'],
    // Docker Flow looks at the first destination only.
    [
      { serviceName: 'x', 'servicePath.1': '/', 'port.1': '80', 'servicePath.2': '/b' },
      'error',
      'port.2: port-missing',
    ],
    [{ ...minimal, httpsOnly: 'yes' }, 'error', 'httpsOnly: label-value-invalid'],
    [{ ...minimal, port: '70000' }, 'error', 'port: label-value-invalid'],
    [{ ...minimal, pathType: 'hdr_sub' }, 'error', 'pathType: label-value-refused'],
    [{ ...minimal, pathType: 'path_reg', servicePath: '(?=x)' }, 'error', 'servicePath: label-value-invalid'],
    [{ ...minimal, reqPathSearchReplace: '(a)\\1,b' }, 'error', 'reqPathSearchReplace: label-value-invalid'],
    [{ ...minimal, connectionMode: 'forceclose' }, 'error', 'connectionMode: label-value-refused'],
    [{ ...minimal, addReqHeader: 'X-A %[req.cook(x)]' }, 'error', 'addReqHeader: label-value-refused'],
    [{ ...minimal, addReqHeader: 'X-A b if { path /x }' }, 'error', 'addReqHeader: label-value-refused'],
    [{ ...minimal, setReqHeader: 'Content-Length 3' }, 'error', 'setReqHeader: label-value-refused'],
    [{ ...minimal, setReqHeader: 'X-A %[env(ADMIN_TOKEN)]' }, 'error', 'setReqHeader: label-value-refused'],
    [{ ...minimal, setReqHeader: 'Swarmgate-Hops none' }, 'error', 'setReqHeader: label-value-refused'],
    [{ ...minimal, delReqHeader: 'X-A,swarmgate_hops' }, 'error', 'delReqHeader: label-value-refused'],
    [{ ...minimal, setReqHeader: 'X-A "open' }, 'error', 'setReqHeader: label-value-invalid'],
    [{ ...minimal, accessLog: '2/3' }, 'error', 'accessLog: label-value-invalid'],
    [{ ...minimal, serviceHeader: '__proto__:x' }, 'error', 'serviceHeader: label-value-invalid'],
    [{ ...minimal, users: 'jane:' }, 'error', 'users: label-value-invalid'],
    [{ ...minimal, 'users.1': 'jane:x' }, 'error', 'users.1: label-index-unused'],
    [{ ...minimal, 'denyHttp.3': 'true' }, 'error', 'denyHttp.3: label-index-unused'],
    [{ ...minimal, 'servicePath.3': '/x' }, 'warning', 'servicePath.3: label-index-unused'],
    [{ ...minimal, 'servicePath.11': '/x' }, 'warning', 'servicePath.11: label-index-unused'],
    [{ ...minimal, 'aclName.1': 'x' }, 'warning', 'aclName.1: label-not-indexed'],
    [{ ...minimal, redirectFromDomain: 'a.example' }, 'error', 'redirectFromDomain: redirect-without-domain'],
    [{ ...minimal, templateFePath: '/x' }, 'error', 'templateFePath: label-refused'],
    [{ ...minimal, consulTemplateBePath: '/x' }, 'error', 'consulTemplateBePath: label-refused'],
    [{ ...minimal, backendExtra: 'x' }, 'error', 'backendExtra: label-refused'],
    [{ ...minimal, checkResolvers: 'true' }, 'warning', 'checkResolvers: label-ignored'],
    [{ ...minimal, 'userDef.1': 'x' }, 'warning', 'userDef.1: label-ignored'],
    [{ ...minimal, sessionType: 'other' }, 'warning', 'sessionType: label-value-invalid'],
    [{ ...minimal, connectionMoode: 'httpclose' }, 'warning', 'connectionMoode: label-unknown'],
    [{ ...minimal, serviceDomain: '*shop.example' }, 'warning', 'serviceDomain: wildcard-without-dot'],
    [{ ...minimal, serviceDomain: 'shop.example:8080' }, 'warning', 'serviceDomain: domain-with-port'],
    [{ ...minimal, servicePath: 'demo' }, 'warning', 'servicePath: path-without-slash'],
    [{ ...minimal, serviceDomainMatchAll: 'true' }, 'warning', 'serviceDomainMatchAll: label-deprecated'],
    [{ ...minimal, addHeader: 'A b' }, 'warning', 'addHeader: label-deprecated'],
  ];
  for (const [parameters, severity, expected] of wrong) {
    it(`${expected} (${severity})`, () => {
      const { definition, problems } = translate(parameters);
      const found = problems.find(({ label, reason }) => `${label}: ${reason}` === expected);
      expect(found?.severity, JSON.stringify(reasonsOf(problems))).to.equal(severity);
      expect(definition === undefined).to.equal(severity === 'error');
      if (severity === 'error') expect(found?.suggestion).to.be.a('string');
    });
  }

  it('names what a misspelt label may have meant', () => {
    const { problems } = translate({
      ...minimal,
      connectionMoode: 'x',
      serviecPath: '/',
      SERVICEDOMAIN: 'x',
      alertIf: '@mem',
    });
    expect(problems.map(({ label, suggestion }) => [label, suggestion])).to.deep.equal([
      ['SERVICEDOMAIN', 'did you mean serviceDomain?'],
      ['alertIf', undefined],
      ['connectionMoode', 'did you mean connectionMode?'],
      ['serviecPath', 'did you mean servicePath?'],
    ]);
  });

  it('reports nothing for labels that are the listener’s', () => {
    const { problems } = translate({
      ...minimal,
      notify: 'true',
      distribute: 'true',
      replicas: '2',
      shortName: 'true',
      notifyService: 'a',
      scrapeNetwork: 'n',
      nodeInfo: '[]',
    });
    expect(problems).to.deep.equal([]);
  });

  for (const [protocol, sslVerifyNone, reasons] of [
    ['h2c', 'true', ['protocol: protocol-with-tls']],
    ['h2c', 'false', []],
    ['h2', 'true', []],
    ['grpc', 'true', []],
  ] as const)
    it(`reports the effect of protocol=${protocol} with sslVerifyNone=${sslVerifyNone}`, () => {
      const { problems } = translate({ ...minimal, protocol, sslVerifyNone });
      expect(reasonsOf(problems)).to.deep.equal(reasons);
    });

  it('does not report a missing port where the port could not be read', () => {
    const { problems } = translate({ ...minimal, port: 'http' });
    expect(reasonsOf(problems)).to.deep.equal(['port: label-value-invalid']);
  });

  it('takes the example of every label in the catalogue', () => {
    for (const name of labelNames()) {
      const known = findLabel(name);
      if (known === undefined || known.scope === 'other' || name === 'serviceCert') continue;
      const { problems } = translate({ ...minimal, serviceDomain: 'a.example', [name]: known.entry.example });
      expect(
        problems.filter(({ severity, label }) => severity === 'error' && label === name),
        name,
      ).to.deep.equal([]);
    }
  });
});
