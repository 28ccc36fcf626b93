import { expect } from 'chai';
import fc from 'fast-check';
import { headersForClient, headersForUpstream, hopsOf, makeViaName, type RequestHop } from './header-policy.ts';

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
  hops: 0,
  newRequestId: () => 'new-id',
});

describe('headers for upstream', () => {
  const own = [
    ['X-Forwarded-For', '10.0.0.1'],
    ['X-Forwarded-Proto', 'http'],
    ['X-Forwarded-Host', 'shop.example'],
    ['X-Forwarded-Port', '80'],
    ['X-Request-Id', 'new-id'],
    ['Swarmgate-Hops', '1'],
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
      'X-Mine, Content-Length, HOST, x-forwarded-for, via, x-request-id, swarmgate-hops',
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
    ...[
      'X-Request-Id',
      'Swarmgate-Hops',
      'Forwarded',
      'Via',
      'Host',
      'Content-Length',
      'Transfer-Encoding',
      'Connection',
      'Keep-Alive',
    ],
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

  it('sends in Via the client’s protocol', () => {
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

  const otherSpellings = ['X_Real.IP', 'x.forwarded.for', 'X-Forwarded_Prefix', 'X~Request~Id', 'swarmgate_hops'];
  for (const name of [...otherSpellings, 'Content.Length', 'Proxy!Authorization'])
    it(`drops ${name}: services that fold names as CGI does read it as another`, () => {
      expect(headersForUpstream([name, 'v'], hop(true)).flat).to.deep.equal(own.flat());
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
      'with a blank',
    ];
    const headers = headersForUpstream([...sent, 'X-Forwarded-For', '1.1.1.1'], hop(false));
    expect(headers.flat).to.deep.equal(['X-Forwarded-For', '1.1.1.1, 10.0.0.1', ...own.flat().slice(2)]);
  });

  it('takes the values of a trusted hop, and only the first of each', () => {
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

  it('never sends two of the headers that it sets itself', () => {
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

describe('X-Request-Id', () => {
  const idOf = (trusted: boolean, ...ids: string[]) =>
    headersForUpstream(
      ids.flatMap((id) => ['X-Request-Id', id]),
      hop(trusted),
    ).all('x-request-id');
  const cases = [
    [['abc-1'], 'abc-1'],
    [['!~'], '!~'],
    [['a'.repeat(128)], 'a'.repeat(128)],
    [['a'.repeat(129)], 'new-id'],
    [['two words'], 'new-id'],
    [['tab\t'], 'new-id'],
    [['caf\xe9'], 'new-id'],
    [['del\x7f'], 'new-id'],
    [[''], 'new-id'],
    [[], 'new-id'],
    [['one', 'two'], 'one'],
    [['not this', 'two'], 'two'],
  ] as const;
  for (const [sent, id] of cases)
    it(`${JSON.stringify(sent)} becomes ${id}, from a trusted hop and from others`, () => {
      expect(idOf(false, ...sent)).to.deep.equal([id]);
      expect(idOf(true, ...sent)).to.deep.equal([id]);
    });
});

describe('Via', () => {
  it('passes as the client sent it where this proxy is not to be in it', () => {
    const sent = ['Via', '1.1 a', 'X-A', '1', 'via', '1.0 b'];
    const { flat } = headersForUpstream(sent, { ...hop(false), viaName: undefined });
    expect(flat.slice(0, 6)).to.deep.equal(sent);
    expect(flat.filter((each) => each.toLowerCase() === 'via')).to.have.length(2);
  });

  it('has a name of its own for every running proxy', () => {
    expect(makeViaName(() => 0.1)).to.not.equal(makeViaName(() => 0.2));
    expect(makeViaName(() => 0)).to.equal('swarmgate-00000000');
  });
});

describe('Swarmgate-Hops', () => {
  const cases = [
    [[], 0],
    [['1'], 1],
    [['16'], 16],
    [[' 7\t'], 7],
    [['007'], 7],
    [['3, 5, 4'], 5],
    [['2', '9'], 9],
    [['99999999999999999999'], 1e20],
    [['-1'], 0],
    [['1.5'], 0],
    [['0x10'], 0],
    [['', 'x', 'Infinity'], 0],
  ] as const;
  for (const [values, hops] of cases)
    it(`${JSON.stringify(values)} counts as ${hops}`, () => {
      expect(hopsOf(values.flatMap((value) => ['SwarmGate-hops', value]))).to.equal(hops);
    });

  it('is raised by one, and sent once', () => {
    const sent = ['Swarmgate-Hops', '3', 'swarmgate-hops', '4'];
    const headers = headersForUpstream(sent, { ...hop(false), hops: hopsOf(sent) });
    expect(headers.all('swarmgate-hops')).to.deep.equal(['5']);
  });
});

describe('header policy by an independent reading of its rules', () => {
  // Names as a service reads them that turns a header into a CGI variable.
  const variable = (name: string) => `HTTP_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
  const words = [
    'X',
    'Forwarded',
    'For',
    'Real',
    'IP',
    'Request',
    'Id',
    'Swarmgate',
    'Hops',
    'Cookie',
    'Content',
    'Length',
  ];
  const spelled = fc
    .tuple(
      fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 3 }),
      fc.constantFrom('-', '_', '.', '~', '-'),
    )
    .chain(([parts, mark]) => fc.constantFrom(parts.join(mark), parts.join(mark).toLowerCase(), parts.join('-')));
  const whole = fc.constantFrom('X-Forwarded-For', 'X_Forwarded_For', 'x.real.ip', 'X-Real-IP', 'X-Request-Id');
  const fields = fc.array(fc.tuple(fc.oneof(spelled, whole), fc.constantFrom('1', 'a, b')), { maxLength: 8 });

  it('never lets another spelling of a protected name through, and keeps all others', () => {
    const isProtected = (name: string) =>
      /^HTTP_(X_FORWARDED_.*|X_REAL_IP|X_REQUEST_ID|SWARMGATE_HOPS|COOKIE|CONTENT_LENGTH|FORWARDED)$/.test(
        variable(name),
      );
    let dropped = 0;
    fc.assert(
      fc.property(fields, (sent) => {
        const flat = sent.flat();
        const { flat: seen } = headersForUpstream(flat, hop(false));
        const others = sent.filter(([name]) => !isProtected(name)).flat();
        const kept = seen.filter((_, at) => !isProtected(seen[at - (at % 2)] as string));
        expect(kept).to.deep.equal([...others, 'Via', '1.1 swarmgate-1']);
        for (let at = 0; at < seen.length; at += 2)
          if (isProtected(seen[at] as string)) expect(seen[at]).to.match(/^[A-Za-z0-9-]+$/);
        if (sent.some(([name]) => isProtected(name) && /[_.~]/.test(name))) dropped += 1;
      }),
      { numRuns: 2_000, seed: 20_261_128 },
    );
    expect(dropped).to.be.greaterThan(200);
  });
});
