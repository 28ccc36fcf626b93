import { expect } from 'chai';
import { context, minimal, reasonsOf, translate } from '../../test/translation.ts';

describe('translateParameters, golden cases', () => {
  // [what it shows, parameters, service labels, destinations without index and since]
  const accepted: readonly [string, Record<string, string>, object, readonly object[]][] = [
    ['the smallest one', minimal, {}, [{ servicePath: ['/demo'], port: 8080 }]],
    ['lists are trimmed', { ...minimal, servicePath: ' /a , /b,,' }, {}, [{ servicePath: ['/a', '/b'], port: 8080 }]],
    [
      'a domain needs no path',
      { serviceName: 'x', serviceDomain: 'Shop.Example', port: '80' },
      {},
      [{ serviceDomain: ['shop.example'], port: 80 }],
    ],
    [
      'an empty value is not set',
      { ...minimal, httpsPort: '', aclName: '' },
      {},
      [{ servicePath: ['/demo'], port: 8080 }],
    ],
    [
      'Go’s booleans',
      { ...minimal, isDefaultBackend: 'T', distribute: '0' },
      { isDefaultBackend: true, distribute: false },
      [{ servicePath: ['/demo'], port: 8080 }],
    ],
    [
      'indexes inherit what has none',
      {
        serviceName: 'x',
        serviceDomain: 'a.example',
        allowedMethods: 'get',
        'servicePath.1': '/1',
        'port.1': '81',
        'servicePath.2': '/2',
        'port.2': '82',
        'allowedMethods.2': 'PUT,POST',
      },
      {},
      [
        {
          requires: ['methods'],
          servicePath: ['/1'],
          serviceDomain: ['a.example'],
          port: 81,
          allowedMethods: ['GET'],
        },
        {
          requires: ['methods'],
          servicePath: ['/2'],
          serviceDomain: ['a.example'],
          port: 82,
          allowedMethods: ['PUT', 'POST'],
        },
      ],
    ],
    ['only .1', { serviceName: 'x', 'servicePath.1': '/1', port: '80' }, {}, [{ servicePath: ['/1'], port: 80 }]],
    [
      'httpsPort founds a destination',
      { serviceName: 'x', servicePath: '/', port: '80', 'httpsPort.1': '443' },
      {},
      [{ servicePath: ['/'], port: 80, httpsPort: 443 }],
    ],
    [
      'httpsPort is enough for a destination that is not the first',
      { serviceName: 'x', 'servicePath.1': '/', 'port.1': '80', 'servicePath.2': '/b', 'httpsPort.2': '443' },
      {},
      [
        { servicePath: ['/'], port: 80 },
        { servicePath: ['/b'], httpsPort: 443 },
      ],
    ],
    [
      'https ports',
      { ...minimal, httpsPort: '8443', srcHttpsPort: '4430', srcPort: '8000' },
      {},
      [{ servicePath: ['/demo'], srcPort: 8000, port: 8080, httpsPort: 8443, srcHttpsPort: 4430 }],
    ],
    [
      'the first colon of a header splits',
      { ...minimal, serviceHeader: 'X-A: b:c , Y:1' },
      {},
      [{ servicePath: ['/demo'], serviceHeader: { 'X-A': 'b:c', Y: '1' }, port: 8080 }],
    ],
    [
      'path types with flags',
      { ...minimal, pathType: 'path_reg -i' },
      {},
      [{ servicePath: ['/demo'], pathType: { matcher: 'path_reg', ignoreCase: true }, port: 8080 }],
    ],
    [
      'sni patterns',
      {
        serviceName: 'x',
        reqMode: 'sni',
        srcPort: '443',
        port: '443',
        servicePath: '^api\\.',
        pathType: 'req_ssl_sni -i -m reg',
      },
      {},
      [
        {
          servicePath: ['^api\\.'],
          pathType: { matcher: 'sni_reg', ignoreCase: true },
          srcPort: 443,
          port: 443,
          reqMode: 'sni',
        },
      ],
    ],
    [
      'tcp needs no match',
      { serviceName: 'db', reqMode: 'tcp', srcPort: '5432', port: '5432', clitcpka: 'true', serviceGroup: 'pg' },
      {},
      [{ srcPort: 5432, port: 5432, reqMode: 'tcp', serviceGroup: 'pg', clitcpka: true }],
    ],
    [
      'rewrites in sequence',
      { ...minimal, reqPathSearchReplace: '^/a,/b:c,,g:D,d,i' },
      {},
      [
        {
          servicePath: ['/demo'],
          port: 8080,
          reqPathSearchReplace: [
            { search: '^/a', replace: '/b' },
            { search: 'c', replace: '', all: true },
            { search: 'D', replace: 'd', ignoreCase: true },
          ],
        },
      ],
    ],
    [
      'a rewrite without replacement',
      { ...minimal, reqPathSearchReplace: '^/a' },
      {},
      [{ servicePath: ['/demo'], port: 8080, reqPathSearchReplace: [{ search: '^/a', replace: '' }] }],
    ],
    [
      'escaped commas and colons',
      { ...minimal, reqPathSearchReplace: 'a{1\\,2},b\\:c' },
      {},
      [{ servicePath: ['/demo'], port: 8080, reqPathSearchReplace: [{ search: 'a{1,2}', replace: 'b:c' }] }],
    ],
    [
      'the deprecated rewrite goes first',
      { ...minimal, reqPathSearch: '^/a:b', reqPathReplace: '/x,y', reqPathSearchReplace: 'c,d' },
      {},
      [
        {
          servicePath: ['/demo'],
          port: 8080,
          reqPathSearchReplace: [
            { search: '^/a:b', replace: '/x,y' },
            { search: 'c', replace: 'd' },
          ],
        },
      ],
    ],
    [
      'serviceDomainMatchAll',
      { serviceName: 'x', serviceDomain: 'a.example', port: '80', serviceDomainMatchAll: 'true' },
      { serviceDomainAlgo: 'hdr_dom(host)' },
      [{ serviceDomain: ['a.example'], port: 80 }],
    ],
    [
      'timeouts become milliseconds',
      { ...minimal, timeoutServer: '60', timeoutTunnel: '0.5' },
      {},
      [{ servicePath: ['/demo'], port: 8080, timeoutServerMs: 60_000, timeoutTunnelMs: 500 }],
    ],
    [
      'headers',
      { ...minimal, addReqHeader: 'X-Port %[dst_port],X-Host %[env(HOSTNAME)]', delResHeader: 'Server' },
      {
        addReqHeader: [
          { name: 'X-Port', value: '%[dst_port]' },
          { name: 'X-Host', value: '%[env(HOSTNAME)]' },
        ],
        delResHeader: ['Server'],
      },
      [{ servicePath: ['/demo'], port: 8080 }],
    ],
    [
      'quoted headers with a condition',
      {
        ...minimal,
        setResHeader: 'Strict-Transport-Security "max-age=1; a, b" if { ssl_fc },X-A b\\ c unless { ssl_fc }',
      },
      {
        setResHeader: [
          { name: 'Strict-Transport-Security', value: 'max-age=1; a, b', condition: 'if-secure' },
          { name: 'X-A', value: 'b c', condition: 'unless-secure' },
        ],
      },
      [{ servicePath: ['/demo'], port: 8080 }],
    ],
    [
      'deprecated header names',
      { ...minimal, addHeader: 'A 1', setHeader: 'B 2', setReqHeader: 'B 3' },
      { addReqHeader: [{ name: 'A', value: '1' }], setReqHeader: [{ name: 'B', value: '3' }] },
      [{ servicePath: ['/demo'], port: 8080 }],
    ],
    [
      'users without their passwords',
      { ...minimal, users: 'jane:s:e,joe\n ann' },
      { requires: ['auth'], users: [{ username: 'jane' }, { username: 'joe' }, { username: 'ann' }] },
      [{ servicePath: ['/demo'], port: 8080 }],
    ],
    [
      'our own',
      {
        ...minimal,
        weight: '5',
        rateLimit: '20/10s',
        rateLimitKey: 'header:X-Key',
        allowedAddresses: '10.0.0.0/8, ::1',
        balance: 'least-outstanding',
        checkPath: '/health',
        checkIntervalMs: '500',
        accessLog: '1/100',
      },
      {
        requires: ['allow-list', 'rate-limit'],
        balance: 'least-outstanding',
        weight: 5,
        rateLimit: { requests: 20, windowMs: 10_000 },
        rateLimitKey: { kind: 'header', name: 'X-Key' },
        allowedAddresses: ['10.0.0.0/8', '::1/128'],
      },
      [{ servicePath: ['/demo'], port: 8080, checkPath: '/health', checkIntervalMs: 500, accessLog: { every: 100 } }],
    ],
    [
      'compression as HAProxy writes it',
      { ...minimal, compressionAlgo: 'gzip raw-deflate identity', compressionType: 'text/html application/json' },
      { compressionAlgo: ['gzip', 'deflate'], compressionType: ['text/html', 'application/json'] },
      [{ servicePath: ['/demo'], port: 8080 }],
    ],
    [
      'discovery by overlay is the default',
      { ...minimal, discoveryType: 'Overlay' },
      {},
      [{ servicePath: ['/demo'], port: 8080 }],
    ],
  ];
  for (const [what, parameters, labels, destinations] of accepted) {
    it(what, () => {
      const { definition, problems } = translate(parameters);
      expect(problems.filter(({ severity }) => severity === 'error')).to.deep.equal([]);
      const first = (parameters['servicePath.1'] ?? parameters['httpsPort.1']) ? 1 : 0;
      expect(definition).to.deep.equal({
        version: 1,
        service: parameters.serviceName,
        owner: 'swarm',
        source: context.source,
        updatedAt: context.updatedAt,
        ...labels,
        destinations: destinations.map((each, at) => ({ index: at + first, since: 1000, ...each })),
      });
    });
  }

  it('a stack as they are in the wild: several destinations, redirects, and labels of other tools', () => {
    const { definition, problems } = translate({
      serviceName: 'go-demo_main',
      notify: 'true',
      distribute: 'true',
      replicas: '3',
      serviceDomain: 'go-demo.example, www.go-demo.example',
      'servicePath.1': '/demo/hello,/demo/version',
      'servicePath.2': '/demo/person',
      'srcPort.2': '80',
      port: '8080',
      'allowedMethods.2': 'GET,PUT',
      httpsOnly: 'true',
      httpsRedirectCode: '301',
      redirectFromDomain: 'old.example',
      'reqPathSearchReplace.1': '^/demo/,/',
      timeoutServer: '30',
      users: 'admin:hush',
      alertName: 'mem_limit',
      alertIf: '@service_mem_limit:0.8',
      scrapePort: '8080',
    });
    expect(reasonsOf(problems)).to.deep.equal([
      'alertIf: label-unknown',
      'alertName: label-unknown',
      'scrapePort: label-unknown',
    ]);
    const everywhere = {
      since: 1000,
      serviceDomain: ['go-demo.example', 'www.go-demo.example'],
      port: 8080,
      redirectFromDomain: ['old.example'],
      httpsOnly: true,
      httpsRedirectCode: 301,
      timeoutServerMs: 30_000,
    };
    expect(definition?.destinations).to.deep.equal([
      {
        index: 1,
        requires: ['https'],
        ...everywhere,
        servicePath: ['/demo/hello', '/demo/version'],
        reqPathSearchReplace: [{ search: '^/demo/', replace: '/' }],
      },
      {
        index: 2,
        requires: ['https', 'methods'],
        ...everywhere,
        servicePath: ['/demo/person'],
        srcPort: 80,
        allowedMethods: ['GET', 'PUT'],
      },
    ]);
    expect(definition).to.include({ service: 'go-demo_main', replicas: 3, distribute: true });
  });

  it('takes 1,000 destinations and no more', () => {
    const indexes = Array.from({ length: 1001 }, (_, at) => at + 1);
    const { definition, problems } = translate({
      serviceName: 'x',
      port: '80',
      ...Object.fromEntries(indexes.map((index) => [`servicePath.${index}`, `/${index}`])),
    });
    expect(definition?.destinations.map(({ index }) => index)).to.deep.equal(indexes.slice(0, 1000));
    expect(reasonsOf(problems)).to.deep.equal(['servicePath.1001: label-index-unused']);
  });

  it('splits lists by another separator', () => {
    const { definition } = translate({ ...minimal, servicePath: '/a,1;/b' }, { separator: ';' });
    expect(definition?.destinations[0]?.servicePath).to.deep.equal(['/a,1', '/b']);
  });

  it('keeps passwords and private keys apart from the definition', () => {
    const pem =
      '-----BEGIN CERTIFICATE-----\\nQQ==\\n-----END CERTIFICATE-----\\n-----BEGIN PRIVATE KEY-----\\nSECRET==\\n-----END PRIVATE KEY-----';
    const { definition, secrets, problems } = translate({ ...minimal, users: 'jane:hush', serviceCert: pem });
    expect(secrets.passwords).to.deep.equal(new Map([['jane', 'hush']]));
    expect(secrets.certificate).to.include('\nSECRET==\n');
    expect(JSON.stringify([definition, problems])).to.not.match(/hush|SECRET==/);
  });

  it('takes hashes where the passwords are encrypted, and nothing that can be guessed', () => {
    const hash = '$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/';
    const good = translate({ ...minimal, users: `jane:${hash}`, usersPassEncrypted: 'true' });
    expect(good.definition?.users).to.deep.equal([{ username: 'jane', passwordHash: hash }]);
    const bad = translate({ ...minimal, users: 'jane:hush', usersPassEncrypted: 'true' });
    expect(bad.definition).to.equal(undefined);
    expect(JSON.stringify(bad.problems)).to.not.include('hush');
  });
});
