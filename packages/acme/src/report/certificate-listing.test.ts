import { expect } from 'chai';
import { selectNames } from '../names/select-names.ts';
import { issuerNames, issuerOf } from '../orders/issuers.ts';
import { listImpossible, listWaiting } from './certificate-listing.ts';
import { certificateProblems } from './certificate-problems.ts';

describe('names that cannot have a certificate', () => {
  it('are listed with why and what to do, those of a wrong label too', () => {
    const services = [
      { key: 'swarm/a' as const, names: ['a.example.com', 'shop', '*.example.com'] },
      { key: 'swarm/b' as const, names: ['shop', '10.0.0.1'] },
      { key: 'swarm/c' as const, names: ['c.example.com'], acme: 'buypass' },
    ];
    const { problems } = selectNames(services, [], {
      domains: [],
      challenges: ['http-01'],
      issuers: [issuerOf('letsencrypt')],
      canWriteDns: () => false,
    });
    const listed = listImpossible(problems, services);
    expect(listed.map(({ name }) => name)).to.have.members(['shop', '*.example.com', '10.0.0.1', 'c.example.com']);
    expect(listed.find(({ name }) => name === 'shop')).to.include({ state: 'impossible', failures: 0 });
    expect(listed.find(({ name }) => name === 'shop')?.services).to.have.members(['swarm/a', 'swarm/b']);
    expect(listed.find(({ name }) => name === 'shop')?.detail).to.match(/has no domain.*: use a full name/);
    expect(listed.find(({ name }) => name === 'c.example.com')?.detail).to.include('acme=buypass');
  });
});

describe('the problem of a name whose CA has no usable response', () => {
  it('names the directory as it is written', () => {
    const issuer = issuerOf('https://ca.internal/acme/directory');
    const detail = 'GET https://ca.internal/acme/directory: connect ECONNREFUSED 10.0.0.9:443';
    const failure = { type: 'unreachable', detail, challenge: 'http-01', issuer: issuer.id };
    const name = 'a.example.com';
    const document = { version: 1, name, service: 'swarm/a', failures: 0, nextAttemptMs: 0, rehearsed: false, failure };
    const documents = new Map([[`names/${name}`, JSON.stringify(document)]]);
    const required = [{ name, services: ['swarm/a'], issuers: [issuer.id], challenges: ['http-01'] }] as const;
    const found = certificateProblems({ documents, responses: [] }, required, issuerNames([issuer]), 0);
    const [problem] = found.get('swarm/a') ?? [];
    expect(problem?.message)
      .to.include('https://ca.internal/acme/directory refuses the connection')
      .and.include(detail);
    expect(problem?.message).to.not.include(issuer.id);
  });
});

describe('issuers in listings', () => {
  const url = 'https://ca.internal/acme/directory';
  const old = 'https://old.internal/acme/directory';
  const failed = (name: string, entry: string) => {
    const failure = { type: 'caa', detail: '', challenge: 'http-01', issuer: issuerOf(entry).id };
    return {
      name,
      document: { version: 1, name, service: 'swarm/a', failures: 1, nextAttemptMs: 0, rehearsed: false, failure },
    };
  };
  const cases = [
    ['a URL', url, url],
    ['a known name', 'letsencrypt', 'letsencrypt'],
    ['the URL of a known one', 'https://acme.zerossl.com/v2/DV90', 'https://acme.zerossl.com/v2/DV90'],
    ['one that is configured no more, by its account', old, old],
  ] as const;
  for (const [what, entry, shown] of cases)
    it(`are named as they are written: ${what}`, () => {
      const { name, document } = failed('a.example.com', entry);
      const account = { version: 1, issuer: issuerOf(entry).id, directoryUrl: entry, sealedKey: '', createdAtMs: 0 };
      const documents = new Map([
        [`names/${name}`, JSON.stringify(document)],
        [`accounts/${account.issuer}`, JSON.stringify(account)],
      ]);
      const required = [{ name, services: ['swarm/a'], issuers: [account.issuer], challenges: ['http-01'] }] as const;
      const configured = cases.filter(([, each]) => each !== old).map(([, each]) => issuerOf(each));
      const names = issuerNames(configured, (id) => (id === account.issuer ? account.directoryUrl : undefined));
      expect(listWaiting({ documents, responses: [] }, required, names, 0)[0]?.issuer).to.equal(shown);
    });
});
