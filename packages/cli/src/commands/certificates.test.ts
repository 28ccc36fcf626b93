import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { describeCertificates } from './certificates.ts';
import { readCertificates } from './read-certificates.ts';

describe('certificates of another program', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'swarmgate-import-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const pem = (what: string) => `-----BEGIN ${what}-----\nMA==\n-----END ${what}-----\n`;
  const both = `${pem('CERTIFICATE')}${pem('PRIVATE KEY')}`.trim();
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const certbot = (path: string) => {
    const made = join(folder, path);
    mkdirSync(made, { recursive: true });
    writeFileSync(join(made, 'fullchain.pem'), pem('CERTIFICATE'));
    writeFileSync(join(made, 'privkey.pem'), pem('PRIVATE KEY'));
    writeFileSync(join(made, 'cert.pem'), pem('CERTIFICATE'));
  };

  it('come from Traefik’s acme.json, of all resolvers', () => {
    const one = {
      domain: { main: 'a.example' },
      certificate: base64(pem('CERTIFICATE')),
      key: base64(pem('PRIVATE KEY')),
    };
    const json = {
      le: { Account: { PrivateKey: 'x' }, Certificates: [one, one] },
      other: { Certificates: [one] },
      empty: { Certificates: null },
    };
    expect(readCertificates(file('acme.json', JSON.stringify(json)))).to.deep.equal([both, both, both]);
  });

  it('come from the acme.json of Traefik 1', () => {
    const one = {
      Domain: { Main: 'a.example' },
      Certificate: base64(pem('CERTIFICATE')),
      Key: base64(pem('PRIVATE KEY')),
    };
    expect(readCertificates(file('acme.json', JSON.stringify({ Account: {}, Certificates: [one] })))).to.deep.equal([
      both,
    ]);
  });

  const folders = ['', 'live', 'live/a.example'];
  for (const named of folders)
    it(`come from certbot’s folder ${named === '' ? '/etc/letsencrypt' : named}`, () => {
      certbot('live/a.example');
      mkdirSync(join(folder, 'archive'));
      expect(readCertificates(join(folder, named))).to.deep.equal([both]);
    });

  it('come from a PEM file', () => {
    expect(readCertificates(file('both.pem', both))).to.deep.equal([both]);
  });

  const refused = [
    ['an empty folder', () => folder],
    ['a file that is neither', () => file('x', 'hello')],
    ['an acme.json without certificates', () => file('acme.json', '{"le":{"Account":{}}}')],
    ['a file that is not there', () => join(folder, 'none')],
  ] as const;
  for (const [what, path] of refused)
    it(`are refused: ${what}`, () =>
      expect(() => readCertificates(path()))
        .to.throw()
        .with.property('code', 'file-unreadable'));
});

describe('swarmgate certificates', () => {
  const nowMs = Date.parse('2026-11-28T00:00:00Z');
  const answer = {
    ordering: true,
    certificates: [
      {
        name: 'a',
        hosts: ['a.example', 'b.example', 'c.example', 'd.example'],
        from: 'acme' as const,
        expiresAt: '2027-02-26T00:00:00.000Z',
        issuer: 'letsencrypt',
        renewAt: '2027-01-27T00:00:00.000Z',
        renewFrom: 'ari' as const,
      },
      { name: 'f', hosts: ['f.example'], from: 'file' as const, expiresAt: '2026-11-25T00:00:00.000Z' },
    ],
    waiting: [
      {
        name: 'x.example',
        services: ['swarm/x'],
        state: 'failed' as const,
        failures: 2,
        nextAttempt: '2026-11-28T00:10:00.000Z',
        type: 'dns',
        detail: 'NXDOMAIN',
      },
    ],
  };

  it('shows until when each certificate is served, when it is renewed, and why names wait', () => {
    const text = describeCertificates(answer, nowMs);
    expect(text).to.match(
      /a\.example, b\.example and 2 more +acme \(letsencrypt\) +2027-02-26, in 90 d +in 60 d \(ari\)/,
    );
    expect(text).to.match(/f\.example +file +2026-11-25, 3 d ago +–/);
    expect(text).to.match(/x\.example +failed 2 times +in 10 min +dns: NXDOMAIN/);
  });

  it('says where nothing is ordered', () => {
    expect(describeCertificates({ ordering: false, certificates: [], waiting: [] }, nowMs)).to.include(
      'ACME_DIRECTORY',
    );
  });
});
