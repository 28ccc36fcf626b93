import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImportResponse } from '@swarmgate/proxy';
import { expect } from 'chai';
import type { AdminClient } from '../admin-client.ts';
import type { CommandIo } from '../io.ts';
import { describeCertificates } from './certificates.ts';
import { importCertificates } from './import-certificates.ts';
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
    expect(readCertificates(file('acme.json', JSON.stringify(json)))).to.deep.equal(
      ['a.example', 'a.example', 'a.example'].map((from) => ({ from, pem: both })),
    );
  });

  it('come from the acme.json of Traefik 1', () => {
    const one = {
      Domain: { Main: 'a.example' },
      Certificate: base64(pem('CERTIFICATE')),
      Key: base64(pem('PRIVATE KEY')),
    };
    expect(readCertificates(file('acme.json', JSON.stringify({ Account: {}, Certificates: [one] })))).to.deep.equal([
      { from: 'a.example', pem: both },
    ]);
  });

  const folders = ['', 'live', 'live/a.example'];
  for (const named of folders)
    it(`come from certbot’s folder ${named === '' ? '/etc/letsencrypt' : named}`, () => {
      certbot('live/a.example');
      mkdirSync(join(folder, 'archive'));
      expect(readCertificates(join(folder, named))).to.deep.equal([{ from: 'a.example', pem: both }]);
    });

  it('come from a PEM file', () => {
    const path = file('both.pem', both);
    expect(readCertificates(path)).to.deep.equal([{ from: path, pem: both }]);
  });

  it('are named where their key is missing, and cost no other', () => {
    const good = {
      domain: { main: 'a.example' },
      certificate: base64(pem('CERTIFICATE')),
      key: base64(pem('PRIVATE KEY')),
    };
    const Certificates = [
      { ...good, domain: { main: 'k.example' }, key: '' },
      good,
      { ...good, domain: null, certificate: 1 },
      7,
    ];
    const found = readCertificates(file('acme.json', JSON.stringify({ le: { Certificates } })));
    expect(found.map(({ from }) => from)).to.deep.equal([
      'k.example',
      'a.example',
      'certificate 3 of le',
      'certificate 4 of le',
    ]);
    expect(found.map((each) => ('pem' in each ? each.pem : each.why))).to.satisfy(
      ([key, both2, certificate, no]: string[]) =>
        /has no key: /.test(key ?? '') &&
        both2 === both &&
        /no certificate: /.test(certificate ?? '') &&
        /no object/.test(no ?? ''),
    );
  });

  it('are named where a file of certbot’s folder is missing, or leads nowhere', () => {
    certbot('live/a.example');
    certbot('live/b.example');
    rmSync(join(folder, 'live/b.example/privkey.pem'));
    certbot('live/c.example');
    rmSync(join(folder, 'live/c.example/privkey.pem'));
    symlinkSync('../../archive/none.pem', join(folder, 'live/c.example/privkey.pem'));
    const found = readCertificates(folder);
    expect(found.map(({ from }) => from)).to.deep.equal(['a.example', 'b.example', 'c.example']);
    expect(
      found.map((each) => ('pem' in each ? '' : each.why.replace(/.*(no privkey.pem|with its archive).*/, '$1'))),
    ).to.deep.equal(['', 'no privkey.pem', 'with its archive']);
  });

  it('are refused with what to do where the JSON is cut', () => {
    for (const text of ['{"le":{"Certificates":[', ''])
      expect(() => readCertificates(file('acme.json', text))).to.throw(
        /acme\.json.*copy Traefik's acme\.json once more/,
      );
  });

  describe('being imported', () => {
    const response = (certificates: ImportResponse['certificates']) => ({
      post: async () => ({ status: 200, body: { Status: 'OK', Message: '', certificates }, from: 'x' }),
    });
    const run = async (path: string, certificates: ImportResponse['certificates']) => {
      const out: string[] = [];
      let code = 0;
      const io = {
        env: {},
        out: (text: string) => out.push(text),
        error: (text: string) => out.push(text),
        exit: (exitCode: number) => {
          code = exitCode;
        },
      } as unknown as CommandIo;
      await importCertificates(path, response(certificates) as unknown as AdminClient, {}, io);
      return { text: out.join('\n'), code };
    };

    it('are listed each with its outcome; one that is refused makes exit code 1', async () => {
      const path = file('both.pem', both);
      const names = ['a.example', 'b.example'];
      const cases = [
        [{ names, state: 'taken over' }, 'a.example, b.example: taken over\n1 certificate: 1 taken over', 0],
        [
          { names, state: 'kept', why: 'a later one is served' },
          'a.example, b.example: kept: a later one is served\n1 certificate: 1 kept',
          0,
        ],
        [
          { names, state: 'expired', why: 'it ended at x' },
          'a.example, b.example: expired: it ended at x\n1 certificate: 1 expired',
          0,
        ],
        [{ names: [], state: 'refused', why: 'damaged' }, `${path}: refused: damaged\n1 certificate: 1 refused`, 1],
      ] as const;
      for (const [imported, text, code] of cases) expect(await run(path, [imported])).to.deep.equal({ text, code });
    });

    it('list those without a key beside the others', async () => {
      certbot('live/a.example');
      certbot('live/b.example');
      rmSync(join(folder, 'live/a.example/privkey.pem'));
      const { text, code } = await run(folder, [{ names: ['b.example'], state: 'taken over' }]);
      expect(text).to.match(
        /^a\.example: refused: .*no privkey\.pem.*\nb\.example: taken over\n2 certificates: 1 taken over, 1 refused$/,
      );
      expect(code).to.equal(1);
    });
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
  const response = {
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
    const text = describeCertificates(response, nowMs);
    expect(text).to.match(
      /a\.example, b\.example and 2 more +acme \(letsencrypt\) +2027-02-26, in 90 d +in 60 d \(ari\)/,
    );
    expect(text).to.match(/f\.example +file +2026-11-25, 3 d ago +–/);
    expect(text).to.match(/x\.example +failed 2 times +in 10 min +dns: NXDOMAIN/);
  });

  it('reports replicas where nothing is ordered', () => {
    expect(describeCertificates({ ordering: false, certificates: [], waiting: [] }, nowMs)).to.include(
      'ACME_DIRECTORY',
    );
  });
});
