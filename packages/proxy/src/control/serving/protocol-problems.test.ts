import { expect } from 'chai';
import { endpointAt, tinyRoute } from '../../../test/test-context.ts';
import { ProtocolProblems } from './protocol-problems.ts';

describe('endpoints that do not speak what the label protocol names', () => {
  const cases = [
    [
      'h2c',
      false,
      'http1',
      'com.df.protocol is h2c, but 127.0.0.1:1 speaks HTTP/1.1',
      'set com.df.protocol=http1, or leave it out',
    ],
    [
      'grpc',
      false,
      'http1',
      'com.df.protocol is grpc, but 127.0.0.1:1 speaks HTTP/1.1',
      'set com.df.protocol=http1, or leave it out',
    ],
    [
      'h2',
      true,
      'http1',
      'com.df.protocol is h2 over TLS, but 127.0.0.1:1 speaks HTTP/1.1',
      'set com.df.protocol=http1 and com.df.sslVerifyNone=true',
    ],
    [
      'h2',
      true,
      'none',
      'com.df.protocol is h2 over TLS, but 127.0.0.1:1 does not speak it',
      'let the service offer h2 by ALPN, or set com.df.protocol=http1 and com.df.sslVerifyNone=true',
    ],
    ['h2', true, 'plain', 'com.df.protocol is h2 over TLS, but 127.0.0.1:1 speaks no TLS', 'set com.df.protocol=h2c'],
    [
      'grpc',
      true,
      'plain',
      'com.df.protocol is grpc over TLS, but 127.0.0.1:1 speaks no TLS',
      'leave com.df.sslVerifyNone out',
    ],
    ['h2c', false, 'tls', 'com.df.protocol is h2c, but 127.0.0.1:1 speaks TLS', 'set com.df.protocol=h2'],
    [
      'grpc',
      false,
      'tls',
      'com.df.protocol is grpc, but 127.0.0.1:1 speaks TLS',
      'set com.df.sslVerifyNone=true, which adds TLS',
    ],
    [
      'h2c',
      false,
      'none',
      'com.df.protocol is h2c, but 127.0.0.1:1 does not speak it',
      'correct com.df.port or com.df.protocol',
    ],
    [
      undefined,
      false,
      'http2',
      'com.df.protocol is http1, but 127.0.0.1:1 speaks HTTP/2',
      'set com.df.protocol=h2c, or grpc for gRPC',
    ],
  ] as const;
  for (const [protocol, secure, spoken, message, suggestion] of cases)
    it(`are a problem with its mend: ${protocol} ${secure ? 'over TLS ' : ''}and ${spoken}`, () => {
      const problems = new ProtocolProblems();
      const route = tinyRoute('web', protocol === undefined ? {} : { protocol });
      problems.found(route, endpointAt(1, { secure }), spoken);
      expect(problems.problems().get('swarm/web')).to.deep.equal([
        {
          severity: 'warning',
          reason: 'wrong-protocol',
          message: `${message}: its requests get 502`,
          label: 'protocol',
          value: protocol ?? 'http1',
          suggestion,
        },
      ]);
    });

  it('are one until the endpoint responds, or the service changes', () => {
    const problems = new ProtocolProblems();
    const route = { ...tinyRoute('web', { protocol: 'h2c', index: 2 }), id: 'swarm/web/2' };
    const shown = () => [...problems.problems().values()].flat().map(({ label }) => label);
    problems.found(route, endpointAt(1), 'http1');
    problems.found(route, endpointAt(2), 'http1');
    expect(shown()).to.deep.equal(['protocol.2']);
    problems.responded(endpointAt(1));
    expect(shown()).to.deep.equal(['protocol.2']);
    problems.responded(endpointAt(2));
    expect(shown()).to.deep.equal([]);
    problems.found(route, endpointAt(1), 'http1');
    problems.apply(['swarm/other']);
    expect(shown()).to.deep.equal(['protocol.2']);
    problems.apply(['swarm/web']);
    expect(shown()).to.deep.equal([]);
  });
});
