import { expect } from 'chai';
import fc from 'fast-check';
import { hasLooped, headersForClient, headersForUpstream, makeViaName, type RequestHop } from './header-policy.ts';

const client = {
  address: '9.9.9.9',
  entryPort: 80,
  secure: false,
  scheme: 'http',
  trustedHop: false,
  certificateVerified: false,
} as const;

const hop = (trustedHop: boolean): RequestHop => ({
  client: { ...client, trustedHop },
  peerAddress: '10.0.0.1',
  sentHost: 'shop.example',
  protocol: 'HTTP/1.1',
  viaName: 'swarmgate-1',
  newRequestId: () => 'new-id',
});

describe('headers for upstream', () => {
  const own = [
    ['X-Forwarded-For', '10.0.0.1'],
    ['X-Forwarded-Proto', 'http'],
    ['X-Forwarded-Host', 'shop.example'],
    ['X-Forwarded-Port', '80'],
    ['X-Request-Id', 'new-id'],
    ['Via', '1.1 swarmgate-1'],
  ] as const;

  it('keeps order and spelling and adds what the proxy says', () => {
    const headers = headersForUpstream(['hOst', 'shop.example', 'X-b', '1', 'X-A', '2', 'X-b', '3'], hop(false));
    expect(headers.flat).to.deep.equal(['hOst', 'shop.example', 'X-b', '1', 'X-A', '2', 'X-b', '3', ...own.flat()]);
  });

  const dropped = [
    ['Connection', 'close'],
    ['Keep-Alive', 'timeout=5'],
    ['Proxy-Connection', 'keep-alive'],
    ['TE', 'trailers'],
    ['Transfer-Encoding', 'chunked'],
    ['Upgrade', 'h2c'],
    ['Proxy-Authorization', 'Basic x'],
    ['X_Forwarded_For', '1.1.1.1'],
    ['x-forwarded_proto', 'https'],
    ['Content_Length', '9'],
    ['Transfer_Encoding', 'chunked'],
    ['Forwarded', 'for=1.1.1.1'],
  ] as const;
  for (const [name, value] of dropped)
    it(`drops ${name}`, () => {
      expect(headersForUpstream([name, value], hop(false)).flat).to.deep.equal(own.flat());
    });

  it('lets Connection remove what it names, but not what frames, addresses or describes the message', () => {
    const sent = [
      'Connection',
      'X-Mine, Content-Length, HOST, x-forwarded-for, via, x-request-id',
      'X-Mine',
      '1',
      'Content-Length',
      '3',
      'Host',
      'shop.example',
    ];
    expect(headersForUpstream(sent, hop(false)).flat).to.deep.equal([
      'Content-Length',
      '3',
      'Host',
      'shop.example',
      ...own.flat(),
    ]);
  });

  it('keeps what Via and X-Forwarded-For said before, although Connection names them', () => {
    const sent = ['Connection', 'Via, X-Forwarded-For', 'Via', '1.1 before', 'X-Forwarded-For', '1.1.1.1'];
    const headers = headersForUpstream(sent, hop(false));
    expect(headers.get('via')).to.equal('1.1 before, 1.1 swarmgate-1');
    // Only what Connection cannot name is safe from it: the addresses before are this hop's to drop.
    expect(headers.all('x-forwarded-for')).to.have.length(1);
  });

  for (const name of ['Expect', 'Trailer', 'Content-Length', 'Host', 'Via'])
    it(`does not let Connection remove ${name}`, () => {
      expect(headersForUpstream(['Connection', name.toUpperCase(), name, 'v'], hop(false)).get(name)).to.match(/^v/);
    });

  const spoken = [
    ...[
      'X-Real-IP',
      'X-Forwarded-User',
      'X-Forwarded-For',
      'X-Forwarded-Proto',
      'X-Forwarded-Host',
      'X-Forwarded-Port',
    ],
    ...['X-Request-Id', 'Forwarded', 'Via', 'Host', 'Content-Length', 'Transfer-Encoding', 'Connection', 'Keep-Alive'],
    ...['Proxy-Authorization', 'Proxy-Connection'],
  ].filter((name) => name.includes('-'));
  for (const name of spoken)
    it(`drops ${name} with underscores, in any case, also of a trusted hop`, () => {
      const twin = name.replaceAll('-', '_');
      for (const trusted of [false, true])
        for (const each of [twin, twin.toLowerCase(), twin.toUpperCase()])
          expect(headersForUpstream([each, 'v'], hop(trusted)).flat.slice(0, 2)).to.not.include(each);
    });

  const sentTwice = [
    ['X-Forwarded-Proto', 'https', 'http'],
    ['X-Forwarded-Host', 'a.example', 'b.example'],
    ['X-Forwarded-Port', '443', '80'],
    ['X-Request-Id', 'one', 'two'],
  ] as const;
  for (const [name, first, second] of sentTwice)
    it(`takes the first ${name} of two that a trusted hop sent, and none that is empty`, () => {
      expect(headersForUpstream([name, first, name, second], hop(true)).all(name)).to.deep.equal([first]);
      expect(headersForUpstream([name, '', name, second], hop(true)).all(name)).to.deep.equal([second]);
    });

  it('says in Via what the client speaks', () => {
    const viaOf = (protocol: RequestHop['protocol']) => headersForUpstream([], { ...hop(false), protocol }).get('via');
    expect(['HTTP/1.0', 'HTTP/1.1', 'HTTP/2'].map((each) => viaOf(each as RequestHop['protocol']))).to.deep.equal([
      '1.0 swarmgate-1',
      '1.1 swarmgate-1',
      '2.0 swarmgate-1',
    ]);
  });

  it('adds its own element to Forwarded, behind those of a trusted hop alone', () => {
    const forwarded = (trusted: boolean, secure: boolean) =>
      headersForUpstream(['Forwarded', 'for=1.1.1.1', 'forwarded', 'for=2.2.2.2'], {
        ...hop(trusted),
        client: { ...client, trustedHop: trusted, secure },
        writesForwarded: true,
      }).all('forwarded');
    expect(forwarded(false, false)).to.deep.equal(['for=10.0.0.1;host=shop.example;proto=http']);
    expect(forwarded(true, true)).to.deep.equal([
      'for=1.1.1.1, for=2.2.2.2, for=10.0.0.1;host=shop.example;proto=https',
    ]);
  });

  it('keeps other names with underscores', () => {
    expect(headersForUpstream(['my_header', '1'], hop(false)).get('my_header')).to.equal('1');
  });

  it('sets what an untrusted client tried to say', () => {
    const sent = [
      'X-Forwarded-Proto',
      'https',
      'X-Forwarded-Host',
      'evil',
      'X-Forwarded-Port',
      '1',
      'X-Request-Id',
      'x',
    ];
    const headers = headersForUpstream([...sent, 'X-Forwarded-For', '1.1.1.1'], hop(false));
    expect(headers.flat).to.deep.equal(['X-Forwarded-For', '1.1.1.1, 10.0.0.1', ...own.flat().slice(2)]);
  });

  it('believes a trusted hop, and only its first word', () => {
    const headers = headersForUpstream(
      [
        ...['X-Forwarded-For', '1.1.1.1', 'x-forwarded-for', '2.2.2.2', 'X-Forwarded-Proto', 'https'],
        ...['X-Forwarded-Host', 'a', 'X-Forwarded-Host', 'b', 'X-Request-Id', 'theirs', 'Forwarded', 'for=1.1.1.1'],
      ],
      hop(true),
    );
    expect(headers.get('x-forwarded-for')).to.equal('1.1.1.1, 2.2.2.2, 10.0.0.1');
    expect(headers.get('x-forwarded-proto')).to.equal('https');
    expect(headers.all('x-forwarded-host')).to.deep.equal(['a']);
    expect(headers.get('x-request-id')).to.equal('theirs');
    expect(headers.get('forwarded')).to.equal('for=1.1.1.1');
  });

  it('never sends two of the headers it speaks for itself', () => {
    const name = fc.constantFrom('X-Forwarded-For', 'x-forwarded-proto', 'Via', 'X-REQUEST-ID', 'Connection', 'X-A');
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.string())), fc.boolean(), (sent, trusted) => {
        const headers = headersForUpstream(sent.flat(), hop(trusted));
        for (const [each] of own) expect(headers.all(each)).to.have.length(1);
        expect(headers.has('connection')).to.equal(false);
      }),
      { numRuns: 50, seed: 20260102 },
    );
  });
});

describe('headers for the client', () => {
  it('leaves out what belongs to the endpoint’s connection', () => {
    const received = [
      'Connection',
      'X-Hop',
      'X-Hop',
      '1',
      'Transfer-Encoding',
      'chunked',
      'Keep-Alive',
      'x',
      'Via',
      'v',
    ];
    expect(headersForClient([...received, 'Set-Cookie', 'a', 'Set-Cookie', 'b']).flat).to.deep.equal([
      'Via',
      'v',
      'Set-Cookie',
      'a',
      'Set-Cookie',
      'b',
    ]);
  });
});

describe('headers for the client that its endpoint’s hop owns', () => {
  for (const name of ['Proxy-Authenticate', 'Upgrade', 'TE', 'Proxy-Connection'])
    it(`leave out ${name}`, () => {
      expect(headersForClient([name, 'v', 'X-A', '1']).flat).to.deep.equal(['X-A', '1']);
    });

  it('keep the length and the trailer list, although Connection names them', () => {
    const received = ['Connection', 'Content-Length, trailer', 'Content-Length', '3', 'Trailer', 'X-Sum'];
    expect(headersForClient(received).flat).to.deep.equal(['Content-Length', '3', 'Trailer', 'X-Sum']);
  });
});

describe('loops', () => {
  it('are known by this proxy’s own name in Via, wherever it stands', () => {
    expect(hasLooped(['via', '1.1 a, 1.1 swarmgate-1 (x)'], 'swarmgate-1')).to.equal(true);
    expect(hasLooped(['Via', '1.1 a', 'VIA', '1.0\tswarmgate-1'], 'swarmgate-1')).to.equal(true);
  });

  it('are not seen in a chain of different proxies', () => {
    expect(hasLooped(['Via', '1.1 swarmgate-2'], 'swarmgate-1')).to.equal(false);
    expect(makeViaName(() => 0.1)).to.not.equal(makeViaName(() => 0.2));
    expect(makeViaName(() => 0)).to.equal('swarmgate-00000000');
  });
});
