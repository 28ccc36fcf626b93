import { expect } from 'chai';
import { issuerOf } from '../orders/issuers.ts';
import { type SelectionRules, type ServiceNames, selectNames } from './select-names.ts';

const rules: SelectionRules = {
  domains: [],
  challenges: ['http-01'],
  issuers: [issuerOf('letsencrypt')],
  canWriteDns: () => false,
};
const service = (key: string, names: readonly string[], labels: Partial<ServiceNames> = {}): ServiceNames => ({
  key: `swarm/${key}`,
  names,
  ...labels,
});
const select = (services: readonly ServiceNames[], changed: Partial<SelectionRules> = {}, better: string[] = []) => {
  const { required, problems } = selectNames(services, better, { ...rules, ...changed });
  return {
    required: required.map(({ name, services: sharing }) => `${name} ${sharing.join(' ')}`),
    reasons: [...problems].flatMap(([key, found]) => found.map(({ reason }) => `${key} ${reason}`)),
    first: required[0],
  };
};

describe('the names that are ordered', () => {
  it('are the exact hosts of services, each once whatever number of services share it', () => {
    const { required } = select([service('b', ['b.example.com', 'a.example.com']), service('a', ['A.example.com.'])]);
    expect(required).to.deep.equal(['a.example.com swarm/a swarm/b', 'b.example.com swarm/b']);
  });

  it('are none without an issuer, which is no problem', () => {
    const services = [service('a', ['a.example.com', 'intranet'], { acme: 'le' })];
    const { required, reasons } = select(services, { issuers: [] });
    expect([required, reasons]).to.deep.equal([[], []]);
  });

  const own = { issuers: [issuerOf('https://ca/dir')] };
  const dns: Partial<SelectionRules> = { challenges: ['http-01', 'dns-01'], canWriteDns: () => true };
  const refused = [
    ['a single label', 'intranet', {}, 'acme-single-label'],
    ['this machine', 'localhost', {}, 'acme-localhost'],
    ['a name of this machine', 'app.localhost', own, 'acme-localhost'],
    ['a private address', '10.0.0.7', {}, 'acme-private-address'],
    ['a unique local address', 'fd00::1', own, 'acme-private-address'],
    ['an address of documentation', '192.0.2.1', {}, 'acme-private-address'],
    ['a wildcard without dns-01', '*.example.com', {}, 'acme-wildcard-without-dns'],
    [
      'a wildcard whose zone cannot be written',
      '*.example.com',
      { challenges: ['dns-01'] },
      'acme-wildcard-without-dns',
    ],
    ['a wildcard in the middle', 'a.*.example.com', dns, 'acme-malformed'],
    ['an underscore', 'a_b.example.com', {}, 'acme-malformed'],
    ['a label of 64 characters', `${'a'.repeat(64)}.example.com`, {}, 'acme-malformed'],
    ['an address with three parts', '1.2.3', {}, 'acme-malformed'],
    ['a private suffix at a public CA', 'app.internal', {}, 'acme-not-public'],
    [
      'a name that only dns-01 may prove, without access',
      'a.example.com',
      { challenges: ['dns-01'] },
      'acme-challenge-impossible',
    ],
  ] as const;
  for (const [what, name, changed, reason] of refused)
    it(`are not: ${what}, which is reported`, () => {
      const { required, reasons } = select([service('web', [name])], changed);
      expect(required).to.deep.equal([]);
      expect(reasons).to.deep.equal([`swarm/web ${reason}`]);
    });

  const taken = [
    ['a public address', '8.8.8.8', {}],
    ['a public IPv6 address', '2606:4700::1111', {}],
    ['a private suffix at a CA of one’s own', 'app.internal', own],
    ['a wildcard with dns-01', '*.example.com', dns],
    ['an international name in its ASCII form', 'xn--bcher-kva.example.com', {}],
  ] as const;
  for (const [what, name, changed] of taken)
    it(`are: ${what}`, () => {
      const { required, reasons } = select([service('web', [name])], changed);
      expect(required).to.deep.equal([`${name} swarm/web`]);
      expect(reasons).to.deep.equal([]);
    });

  const covered = [
    ['the same name', ['a.example.com'], false],
    ['a wildcard for its parent', ['*.example.com'], false],
    ['a wildcard two labels up', ['*.com'], true],
    ['the parent alone', ['example.com'], true],
  ] as const;
  for (const [what, better, isOrdered] of covered)
    it(`are ${isOrdered ? '' : 'not '}those that a better certificate for ${what} covers`, () => {
      const { required, reasons } = select([service('web', ['a.example.com'])], {}, [...better]);
      expect(required.length > 0).to.equal(isOrdered);
      expect(reasons).to.deep.equal([]);
    });

  const domains = [
    ['example.com', ['example.com'], true],
    ['a.example.com', ['example.com'], false],
    ['a.example.com', ['*.example.com'], true],
    ['b.a.example.com', ['*.example.com'], true],
    ['example.com', ['*.example.com'], false],
    ['badexample.com', ['*.example.com'], false],
    ['a.example.com', ['other.com', 'A.example.com'], true],
  ] as const;
  for (const [name, patterns, isAllowed] of domains)
    it(`are ${isAllowed ? '' : 'not '}${name} where ACME_DOMAINS=${patterns.join(',')}`, () => {
      expect(select([service('web', [name])], { domains: patterns }).required.length > 0).to.equal(isAllowed);
    });

  it('leave out a service with acme=false, and no other that shares its host', () => {
    const services = [
      service('a', ['a.example.com', 'x.example.com'], { acme: false }),
      service('b', ['a.example.com']),
    ];
    expect(select(services).required).to.deep.equal(['a.example.com swarm/b']);
  });

  const url = 'https://ca.internal/acme/directory';

  it('follow the labels of the first service', () => {
    const { first } = select(
      [service('web', ['a.example.com'], { acme: url, challenge: 'tls-alpn-01', profile: 'shortlived' })],
      {
        issuers: [issuerOf('letsencrypt'), issuerOf(url)],
      },
    );
    expect(first).to.deep.include({ issuers: [issuerOf(url).id], challenges: ['tls-alpn-01'], profile: 'shortlived' });
  });

  it('report an issuer that is not configured, with those that are as they are written', () => {
    const { problems } = selectNames([service('web', ['a.example.com'], { acme: 'zerossl' })], [], {
      ...rules,
      issuers: [issuerOf('letsencrypt'), issuerOf(url)],
    });
    const [problem] = problems.get('swarm/web') ?? [];
    expect(problem?.suggestion).to.include(`use one of letsencrypt, ${url},`);
  });

  it('report an issuer that is not configured', () => {
    expect(select([service('web', ['a.example.com'], { acme: 'zerossl' })]).reasons).to.deep.equal([
      'swarm/web acme-issuer-unknown',
    ]);
  });

  const cannot = [
    ['an issuer that is not configured', { acme: 'zerossl' }, 'acme-issuer-unknown'],
    ['a challenge that is impossible', { challenge: 'dns-01' }, 'acme-challenge-impossible'],
  ] as const;
  for (const [what, labels, reason] of cannot) {
    it(`follow the next service of a host where the first one requests ${what}, which is reported`, () => {
      const services = [service('a', ['x.example.com'], labels), service('b', ['x.example.com'])];
      const { required, reasons, first } = select(services);
      expect(required).to.deep.equal(['x.example.com swarm/b swarm/a']);
      expect(reasons).to.deep.equal([`swarm/a ${reason}`]);
      expect(first).to.deep.include({ issuers: ['letsencrypt'], challenges: ['http-01'] });
    });

    it(`report to each service of a host a request for ${what}, also where another service decides`, () => {
      const services = [
        service('a', ['x.example.com']),
        service('b', ['x.example.com'], labels),
        service('c', ['x.example.com'], labels),
      ];
      expect(select(services)).to.deep.include({
        required: ['x.example.com swarm/a swarm/b swarm/c'],
        reasons: [`swarm/b ${reason}`, `swarm/c ${reason}`],
      });
      expect(select(services.slice(1))).to.deep.include({
        required: [],
        reasons: [`swarm/b ${reason}`, `swarm/c ${reason}`],
      });
    });
  }

  it('prove an address by http-01 or tls-alpn-01 alone, a wildcard by dns-01 alone', () => {
    const all: Partial<SelectionRules> = { challenges: ['dns-01', 'http-01', 'tls-alpn-01'], canWriteDns: () => true };
    const { required } = selectNames([service('web', ['8.8.8.8', '*.example.com'])], [], { ...rules, ...all });
    expect(required.map(({ name, challenges }) => [name, ...challenges])).to.deep.equal([
      ['*.example.com', 'dns-01'],
      ['8.8.8.8', 'http-01', 'tls-alpn-01'],
    ]);
  });
});
