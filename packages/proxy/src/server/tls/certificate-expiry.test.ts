import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { testCertificate } from '../../../test/test-certificate.ts';
import { readCertificate } from './certificate.ts';
import { expiringCertificates } from './certificate-expiry.ts';
import { type CertificateSource, CertificateStore } from './certificate-store.ts';
import { OwnCertificates } from './own-certificates.ts';

const dayMs = 86_400_000;

describe('certificates that end', () => {
  const ends = new Date(Date.UTC(2030, 0, 31));
  const endsMs = ends.getTime();
  let store: CertificateStore;

  beforeEach(() => {
    store = new CertificateStore();
  });

  async function serve(source: CertificateSource, name: string, until = ends): Promise<void> {
    const read = readCertificate(name, (await testCertificate(['shop.example'], { expires: until })).pem, undefined);
    if (!read.ok) throw new Error(read.reason);
    store.replace(source, [read.certificate]);
  }

  for (const [source, mend] of [
    ['file', 'DATA_DIR/certs/shop.pem'],
    ['secret', 'secret cert-shop'],
    ['registry', 'certName=shop'],
  ] as const)
    it(`are a problem two weeks before, and after: from a ${source}`, async () => {
      await serve(source, 'shop');
      expect(expiringCertificates(store, endsMs - 15 * dayMs).size).to.equal(0);
      const soon = expiringCertificates(store, endsMs - 13 * dayMs).get('env/cert-shop');
      expect(soon?.map(({ reason }) => reason)).to.deep.equal(['certificate-expiring']);
      expect(soon?.[0]?.message).to.include('shop.example').and.to.include('2030-01-31');
      expect(soon?.[0]?.suggestion).to.include(mend);
      const over = expiringCertificates(store, endsMs).get('env/cert-shop');
      expect(over?.map(({ reason }) => reason)).to.deep.equal(['certificate-expired']);
    });

  it('are not reported once another one serves their names', async () => {
    await serve('file', 'old');
    await serve('registry', 'new', new Date(endsMs + 365 * dayMs));
    expect(expiringCertificates(store, endsMs).size).to.equal(0);
  });

  it('are no problem where they are the proxy’s own or a service’s, which says so itself', async () => {
    await serve('self-signed', 'self-signed');
    await serve('service', 'swarm/web');
    expect(expiringCertificates(store, endsMs).size).to.equal(0);
  });

  it('are among the problems of the proxy', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'expiry-'));
    try {
      await mkdir(join(directory, 'certs'));
      await writeFile(
        join(directory, 'certs', 'shop.pem'),
        (await testCertificate(['a.example'], { expires: ends })).pem,
      );
      const own = await OwnCertificates.open({
        settings: { dataDir: directory, defaultCert: undefined },
        keys: [],
        secure: false,
        clientAuthorities: undefined,
        logger: silentLogger,
        now: () => endsMs,
      });
      expect([...own.problems().keys()]).to.deep.equal(['env/cert-shop']);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
