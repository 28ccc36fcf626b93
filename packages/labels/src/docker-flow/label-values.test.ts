import { expect } from 'chai';
import { minimal, reasonsOf, translate } from '../../test/translation.ts';
import { environmentServices } from './environment-services.ts';

/** `servicePath` as the environment spells it: `SERVICE_PATH`. */
const snake = (name: string) => name.replace(/[A-Z]/g, '_$&').toUpperCase();

function throughEnvironment(parameters: Record<string, string>) {
  const env = Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [`DFP_SERVICE_1_${snake(name)}`, value]),
  );
  const [service] = environmentServices(env, { separator: ',', updatedAt: '2026-01-02T03:04:05.000Z', nowMs: 1000 });
  return service?.translation.definition;
}

describe('values of labels', () => {
  // [label, value, field of the definition or of its destination, what it holds]
  const taken: readonly [string, string, string, unknown][] = [
    // Commas that belong to a value.
    ['servicePath', '^/v\\d{1,3}/,^/w', 'servicePath', ['^/v\\d{1,3}/', '^/w']],
    ['servicePathExclude', '^/v\\d{1,3}/internal', 'servicePathExclude', ['^/v\\d{1,3}/internal']],
    ['servicePath', '/a\\,b,/c', 'servicePath', ['/a,b', '/c']],
    ['servicePath', '"/a,b",/c', 'servicePath', ['/a,b', '/c']],
    ['userAgent', 'Mozilla/5.0 (KHTML, like Gecko),curl', 'userAgent', ['Mozilla/5.0 (KHTML, like Gecko)', 'curl']],
    ['serviceHeader', 'X-A:"b,c",Y:1', 'serviceHeader', { 'X-A': 'b,c', Y: '1' }],
    ['serviceHeader', 'X-A:b\\,c,Y:1', 'serviceHeader', { 'X-A': 'b,c', Y: '1' }],
    ['serviceHeader', 'X-A:(b, c),Y:1', 'serviceHeader', { 'X-A': '(b, c)', Y: '1' }],
    [
      'reqPathSearchReplace',
      '^/v\\d{1,3}/,/:(?:a|b),c',
      'reqPathSearchReplace',
      [
        { search: '^/v\\d{1,3}/', replace: '/' },
        { search: '(?:a|b)', replace: 'c' },
      ],
    ],
    ['reqPathSearchReplace', '"a,b","c,d",g', 'reqPathSearchReplace', [{ search: 'a,b', replace: 'c,d', all: true }]],
    ['reqPathSearchReplace', '[,:]+,-', 'reqPathSearchReplace', [{ search: '[,:]+', replace: '-' }]],
    ['users', 'jane:se\\,cret,joe:x', 'users', [{ username: 'jane' }, { username: 'joe' }]],
    ['protocol', 'grpc', 'protocol', 'grpc'],
    ['protocol', 'h2', 'protocol', 'h2'],
    // Quotes in header values.
    [
      'setResHeader',
      "Content-Security-Policy default-src 'self'",
      'setResHeader',
      [{ name: 'Content-Security-Policy', value: "default-src 'self'" }],
    ],
    [
      'setResHeader',
      "Content-Security-Policy default-src 'self'; img-src 'self' data:,X-A b",
      'setResHeader',
      [
        { name: 'Content-Security-Policy', value: "default-src 'self'; img-src 'self' data:" },
        { name: 'X-A', value: 'b' },
      ],
    ],
    ['setResHeader', 'X-A "a, b"', 'setResHeader', [{ name: 'X-A', value: 'a, b' }]],
    ['setResHeader', 'X-A \'say "hi"\'', 'setResHeader', [{ name: 'X-A', value: 'say "hi"' }]],
    ['setResHeader', 'X-A "a\\"b"', 'setResHeader', [{ name: 'X-A', value: 'a"b' }]],
    ['setResHeader', 'X-A "a" "b"', 'setResHeader', [{ name: 'X-A', value: '"a" "b"' }]],
    ['setResHeader', 'ETag W/"a,b"', 'setResHeader', [{ name: 'ETag', value: 'W/"a,b"' }]],
    [
      'setResHeader',
      "X-A it's,X-B he's",
      'setResHeader',
      [
        { name: 'X-A', value: "it's" },
        { name: 'X-B', value: "he's" },
      ],
    ],
    ['setResHeader', 'Link </a>; title="x, y"', 'setResHeader', [{ name: 'Link', value: '</a>; title="x, y"' }]],
    ['setResHeader', 'X-A a\\,b', 'setResHeader', [{ name: 'X-A', value: 'a,b' }]],
    ['setResHeader', "X-A 'a' if { ssl_fc }", 'setResHeader', [{ name: 'X-A', value: 'a', condition: 'if-secure' }]],
    // Methods are an open set.
    ['allowedMethods', 'get,query,PROPFIND,Custom', 'allowedMethods', ['GET', 'QUERY', 'PROPFIND', 'Custom']],
    // Zero is no limit; the least time is a millisecond.
    ['timeoutServer', '0', 'timeoutServerMs', 0],
    ['timeoutServer', '0.000', 'timeoutServerMs', 0],
    ['timeoutTunnel', '0', 'timeoutTunnelMs', 0],
    ['timeoutServer', '0.001', 'timeoutServerMs', 1],
    // Hosts outside the Swarm.
    ['outboundHostname', '[::1]', 'outboundHostname', '::1'],
    ['outboundHostname', '2001:db8::7', 'outboundHostname', '2001:db8::7'],
    ['outboundHostname', '10.0.0.7', 'outboundHostname', '10.0.0.7'],
    ['outboundHostname', 'db_1.example.', 'outboundHostname', 'db_1.example.'],
    // Replacements.
    [
      'reqPathSearchReplace',
      '^/a/(.*),/ü/\\1',
      'reqPathSearchReplace',
      [{ search: '^/a/(.*)', replace: '/%C3%BC/\\1' }],
    ],
    ['reqPathSearchReplace', 'a,%20', 'reqPathSearchReplace', [{ search: 'a', replace: '%20' }]],
  ];
  for (const [label, value, field, expected] of taken) {
    it(`${label}=${value}, as a label, by REST and in the environment`, () => {
      const pathType =
        /[\\^]/.test(value) && label.startsWith('servicePath') && !/\\,/.test(value) ? 'path_reg' : 'path_beg';
      const parameters = { ...minimal, pathType, [label]: value };
      if (label === 'servicePathExclude') parameters.servicePath = '^/';
      const { definition, problems } = translate(parameters);
      expect(problems, JSON.stringify(problems)).to.deep.equal([]);
      for (const read of [definition, throughEnvironment(parameters)]) {
        const fields = new Map<string, unknown>(Object.entries({ ...read, ...read?.destinations[0] }));
        expect(fields.get(field)).to.deep.equal(expected);
      }
    });
  }

  // [parameters, label that is refused, a part of what is expected or suggested]
  const refused: readonly [Record<string, string>, string, RegExp][] = [
    [{ timeoutServer: '0.0004' }, 'timeoutServer', /0\.001 to 2000000, or 0 for no limit/],
    [{ timeoutServer: '-1' }, 'timeoutServer', /0\.001/],
    [{ timeoutClient: '0' }, 'timeoutClient', /from 0\.001 to 2000000/],
    [{ checkPath: '/', checkIntervalMs: '0' }, 'checkIntervalMs', /from 100 to 3600000/],
    [{ rateLimit: '0/s' }, 'rateLimit', /100\/s/],
    [{ rateLimit: '1/0s' }, 'rateLimit', /100\/s/],
    [{ outboundHostname: 'db.example:5432' }, 'outboundHostname', /outboundHostname=db\.example and port=5432/],
    [{ outboundHostname: '[::1]:80' }, 'outboundHostname', /outboundHostname=\[::1\] and port=80/],
    [{ outboundHostname: '[db]' }, 'outboundHostname', /host name or address/],
    [{ outboundHostname: 'http://db' }, 'outboundHostname', /host name or address/],
    [{ reqPathSearchReplace: '^/a,/b?c=1' }, 'reqPathSearchReplace', /without \? and #/],
    [{ reqPathSearchReplace: '^/a,/b#c' }, 'reqPathSearchReplace', /without \? and #/],
    [{ reqPathSearchReplace: '^/a,/b c' }, 'reqPathSearchReplace', /%20/],
    [{ reqPathSearchReplace: '^/a,/b\\\\' }, 'reqPathSearchReplace', /backslash/],
    [{ reqPathSearchReplace: '^/a,/b%' }, 'reqPathSearchReplace', /hexadecimal/],
    [{ reqPathSearchReplace: '^/a,/b%00' }, 'reqPathSearchReplace', /hexadecimal/],
    [{ reqPathSearch: '^/a', reqPathReplace: '/b?c' }, 'reqPathSearch', /without \? and #/],
    [{ reqPathSearch: '\0' }, 'reqPathSearch', /without control characters/],
    [{ reqPathSearch: '^/a', reqPathReplace: '/\0' }, 'reqPathSearch', /control characters/],
    [{ servicePath: '/a?b' }, 'servicePath', /query/],
    [{ servicePath: '/a', servicePathExclude: '/a/x;y' }, 'servicePathExclude', /parameter/],
    [{ servicePath: '/a', servicePathExclude: 'internal' }, 'servicePathExclude', /\/internal/],
    [{ servicePath: '^/Grüße', pathType: 'path_reg' }, 'servicePath', /%C3%BC/],
    [{ servicePath: '/', servicePathExclude: '//', pathType: 'path_sub' }, 'servicePathExclude', /one slash/],
    [{ users: 'jane:' }, 'users', /users/],
    [{ setResHeader: 'X-A "open' }, 'setResHeader', /quotes closed/],
  ];
  for (const [parameters, label, expected] of refused) {
    it(`refuses ${JSON.stringify(parameters)}`, () => {
      const { definition, problems } = translate({ ...minimal, ...parameters });
      const found = problems.find((problem) => problem.label === label && problem.severity === 'error');
      expect(found, JSON.stringify(reasonsOf(problems))).not.to.equal(undefined);
      expect(`${found?.message} ${found?.suggestion}`).to.match(expected);
      expect(definition).to.equal(undefined);
    });
  }

  it('keeps a password with a comma whole', () => {
    expect(translate({ ...minimal, users: 'jane:se\\,cret' }).secrets.passwords).to.deep.equal(
      new Map([['jane', 'se,cret']]),
    );
  });

  it('refuses labels that are too large for the registry', () => {
    const host = (at: number) => `${'a'.repeat(50)}${at}.example`;
    const many = Array.from({ length: 4000 }, (_, at) => host(at)).join(',');
    const { definition, problems } = translate({ ...minimal, serviceDomain: many });
    expect(definition).to.equal(undefined);
    expect(reasonsOf(problems)).to.deep.equal(['undefined: definition-too-large']);
    expect(reasonsOf(translate({ ...minimal, serviceDomain: `${many},${many}` }).problems)).to.deep.equal([
      'undefined: definition-too-large',
    ]);
  });
});

describe('labels that a mode cannot honour', () => {
  const tcp = { serviceName: 'db', reqMode: 'tcp', srcPort: '5432', port: '5432' };
  const sni = { serviceName: 'db', reqMode: 'sni', srcPort: '443', port: '443', serviceDomain: 'db.example' };
  // [parameters, labels that are reported]
  const cases: readonly [Record<string, string>, readonly string[]][] = [
    [tcp, []],
    [{ ...tcp, serviceDomain: 'db.example' }, ['serviceDomain']],
    [{ ...tcp, servicePath: '/db', pathType: 'path' }, ['servicePath', 'pathType']],
    [{ ...tcp, users: 'jane:x' }, ['users']],
    [{ ...tcp, denyHttp: 'true', httpsOnly: 'false' }, ['denyHttp']],
    [{ ...tcp, addReqHeader: 'X-A b' }, ['addReqHeader']],
    [{ ...tcp, timeoutServer: '5' }, ['timeoutServer']],
    [{ ...tcp, timeoutTunnel: '5', timeoutClient: '5', checkTcp: 'true', clitcpka: 'true', serviceGroup: 'a' }, []],
    [{ ...tcp, allowedAddresses: '10.0.0.0/8', balance: 'least-outstanding', outboundHostname: 'x' }, []],
    [sni, []],
    [{ ...sni, servicePath: 'x', pathType: 'req_ssl_sni' }, []],
    [{ ...sni, serviceHeader: 'X-A:b' }, ['serviceHeader']],
    [{ ...tcp, protocol: 'h2c' }, ['protocol']],
    [{ ...minimal, serviceGroup: 'a', clitcpka: 'true' }, ['serviceGroup', 'clitcpka']],
    // A service with both kinds of destinations: its own labels serve one of them.
    [
      {
        serviceName: 'x',
        users: 'jane:x',
        'servicePath.1': '/',
        'port.1': '80',
        'port.2': '81',
        'srcPort.2': '81',
        'reqMode.2': 'tcp',
      },
      [],
    ],
  ];
  for (const [parameters, labels] of cases) {
    it(`${JSON.stringify(parameters)} → ${labels.join(', ') || 'none'}`, () => {
      const { definition, problems } = translate(parameters);
      const reported = problems.filter(({ reason }) => reason === 'label-not-honoured');
      expect(reported.map(({ label }) => label)).to.have.members(labels);
      expect(problems.filter((problem) => !reported.includes(problem))).to.deep.equal([]);
      expect(definition).not.to.equal(undefined);
    });
  }

  it('explains how two databases on one port are distinguished', () => {
    const [problem] = translate({ ...tcp, serviceDomain: 'db.example' }).problems;
    expect(problem?.suggestion).to.include('sni').and.include('srcPort');
  });
});
