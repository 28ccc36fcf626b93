import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServiceDefinition, sealCertificate, secretsKeyOf, splitPem } from '@swarmgate/registry';
import { messageOf, readSettings, silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { type TestCertificate, testCertificate } from '../../../test/test-certificate.ts';
import { type Certificate, readCertificate } from './certificate.ts';
import { CertificateFiles } from './certificate-files.ts';
import { CertificateStore } from './certificate-store.ts';
import { OwnCertificates } from './own-certificates.ts';
import { makeSelfSigned } from './self-signed.ts';
import { ServiceCertificates } from './service-certificates.ts';

function read(name: string, pem: string, validFromMs?: number): Certificate {
  const found = readCertificate(name, pem, undefined);
  if (!found.ok) throw new Error(found.reason);
  return { ...found.certificate, ...(validFromMs === undefined ? {} : { validFromMs }) };
}

describe('certificates', () => {
  let shop: TestCertificate;
  let wild: TestCertificate;

  before(async () => {
    shop = await testCertificate(['Shop.example', 'www.shop.example']);
    wild = await testCertificate(['*.shop.example']);
  });

  describe('reading a PEM', () => {
    it('takes certificate and key in any order', () => {
      expect(read('shop', `${shop.cert}\n${shop.key}`).hosts).to.deep.equal(['shop.example', 'www.shop.example']);
      expect(read('shop', shop.pem).expiresMs).to.be.greaterThan(Date.now());
    });

    it('puts the certificate of the key first', () => {
      const { cert } = read('shop', `${wild.cert}\n${shop.cert}\n${shop.key}`);
      expect(cert.indexOf(shop.cert.slice(30, 120).replace(/\r/g, ''))).to.equal(30);
    });

    const broken = [
      ['no certificate', () => shop.key, /holds no certificate/],
      ['no key', () => shop.cert, /holds no private key/],
      ['the key of another one', () => `${shop.cert}\n${wild.key}`, /belongs to none/],
      ['nonsense between the lines', () => shop.pem.replace(/M/g, '!'), /cannot be used/],
    ] as const;
    for (const [what, pem, reason] of broken)
      it(`refuses ${what} without a word of the key`, () => {
        const result = readCertificate('shop', pem(), undefined);
        expect(result).to.include({ ok: false });
        if (result.ok) return;
        expect(result.reason).to.match(reason);
        expect(result.reason).not.to.include('BEGIN');
      });
  });

  describe('choosing by server name', () => {
    let store: CertificateStore;
    const nameFor = (servername: string) => store.find(servername)?.name;

    beforeEach(async () => {
      store = new CertificateStore();
      store.replace('self-signed', [await makeSelfSigned(undefined)]);
      store.replace('file', [read('wild', wild.pem, 2), read('shop', shop.pem, 1)]);
    });

    const cases = [
      ['shop.example', 'shop'],
      ['SHOP.example.', 'shop'],
      ['www.shop.example', 'shop'],
      ['api.shop.example', 'wild'],
      // The oldest.
      ['a.api.shop.example', 'shop'],
      ['other.example', 'shop'],
      ['', 'shop'],
    ] as const;
    for (const [servername, name] of cases)
      it(`serves ${servername || 'no name'} with ${name}`, () => {
        expect(nameFor(servername)).to.equal(name);
      });

    it('serves a certificate of an address to clients that send no server name, and to no other without one', async () => {
      const seen: string[] = [];
      store.onNameless(({ name }) => seen.push(name));
      const address = await testCertificate(['192.0.2.7', '2001:db8::7']);
      store.replace('acme', [read('address', address.pem)]);
      expect(store.of('acme')[0]?.hosts).to.deep.equal(['192.0.2.7', '2001:db8::7']);
      expect(nameFor('other.example')).to.equal('shop');
      expect(nameFor('192.0.2.7')).to.equal('address');
      store.replace('service', [read('manual/hijack', (await testCertificate(['192.0.2.8'])).pem)]);
      store.replace('acme', []);
      expect(seen).to.deep.equal(['shop', 'address', 'shop']);
    });

    it('serves DEFAULT_CERT before one of an address', async () => {
      const own = new CertificateStore('shop');
      const seen: string[] = [];
      own.onNameless(({ name }) => seen.push(name));
      own.replace('file', [read('shop', shop.pem), read('address', (await testCertificate(['192.0.2.7'])).pem)]);
      expect(seen).to.deep.equal(['shop']);
    });

    it('takes DEFAULT_CERT for names without one', () => {
      store = new CertificateStore('wild.pem');
      store.replace('file', [read('shop', shop.pem), read('wild', wild.pem)]);
      expect(nameFor('other.example')).to.equal('wild');
    });

    it('prefers what came through the registry, and falls back when that goes', () => {
      store.replace('registry', [read('newer', shop.pem)]);
      expect(nameFor('shop.example')).to.equal('newer');
      store.replace('registry', []);
      expect(nameFor('shop.example')).to.equal('shop');
    });

    it('lets no service take the place of a certificate that was given for the host, or become the default', () => {
      store.replace('service', [read('manual/hijack', wild.pem), read('manual/other', shop.pem)]);
      expect(nameFor('shop.example')).to.equal('shop');
      expect(nameFor('api.shop.example')).to.equal('wild');
      expect(nameFor('other.example')).to.equal('shop');
      store.replace('file', []);
      expect(nameFor('api.shop.example')).to.equal('manual/hijack');
    });

    describe('for clients whose name no certificate names', () => {
      const fileFor = (
        files: readonly Certificate[],
        others: Partial<Record<'acme' | 'service', Certificate[]>> = {},
      ) => {
        store.replace('file', files);
        for (const source of ['acme', 'service'] as const) store.replace(source, others[source] ?? []);
        return nameFor('other.example');
      };
      const at = (name: string, validFromMs: number) => read(name, shop.pem, validFromMs);

      it('is the only one there is', () => {
        expect(fileFor([at('one', 5)])).to.equal('one');
        expect(fileFor([], { acme: [at('ordered', 5)] })).to.equal('ordered');
      });
      it('is the oldest of all sources, by name where two are as old', () => {
        expect(fileFor([at('newer', 5), at('b', 3)], { acme: [at('a', 3), at('newest', 9)] })).to.equal('a');
      });
      it('is one of addresses alone only where no other was given', async () => {
        const address = read('address', (await testCertificate(['192.0.2.7'])).pem, 1);
        expect(fileFor([address, at('named', 5)])).to.equal('named');
        expect(fileFor([address], { service: [at('manual/web', 0)] })).to.equal('address');
      });
      it('is one of a service only where there is no other', () => {
        expect(fileFor([at('own', 9)], { service: [at('manual/web', 1)] })).to.equal('own');
        expect(fileFor([], { service: [at('manual/b', 2), at('manual/a', 2)] })).to.equal('manual/a');
      });
      it('is the self-signed one only where there is none', () => {
        expect(fileFor([])).to.equal('self-signed');
      });
    });

    it('is empty with nothing but a self-signed one', () => {
      expect(store.isEmpty).to.equal(false);
      store.replace('file', []);
      expect(store.isEmpty).to.equal(true);
    });

    it('lists names and ends, and never a key', () => {
      expect(store.listing().map(({ name, from }) => `${from} ${name}`)).to.deep.equal([
        'self-signed self-signed',
        'file wild',
        'file shop',
      ]);
      expect(JSON.stringify(store.listing())).not.to.include('PRIVATE');
    });
  });

  describe('in files', () => {
    let directory: string;
    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), 'certificates-'));
    });
    afterEach(() => rm(directory, { recursive: true }));

    it('are every *.pem in DATA_DIR/certs and every secret cert-* or cert_*', async () => {
      const [certs, secrets] = [join(directory, 'certs'), join(directory, 'secrets')];
      await mkdir(certs);
      await mkdir(secrets);
      await writeFile(join(certs, 'shop.pem'), shop.pem);
      await writeFile(join(certs, 'notes.txt'), 'not one');
      await writeFile(join(certs, 'broken.pem'), 'not one either');
      await writeFile(join(secrets, 'cert-wild'), wild.pem);
      await writeFile(join(secrets, 'cert_shop'), shop.pem);
      await writeFile(join(secrets, 'dfp_users'), 'u:p');
      const certificates = new CertificateStore();
      await new CertificateFiles({
        certificates,
        directory: certs,
        secretsDirectory: secrets,
        logger: silentLogger,
      }).read();
      expect(certificates.listing().map(({ name, from }) => `${from} ${name}`)).to.deep.equal([
        'file shop',
        'secret wild',
        'secret shop',
      ]);
    });

    for (const [given, name] of [
      [undefined, 'shop'],
      ['wild.pem', 'wild'],
    ] as const)
      it(`serve unknown names with ${name} where DEFAULT_CERT is ${given ?? 'not set'}`, async () => {
        await mkdir(join(directory, 'certs'));
        for (const [file, { pem }] of [['shop.pem', shop] as const, ['wild.pem', wild] as const])
          await writeFile(join(directory, 'certs', file), pem);
        const env = { DATA_DIR: directory, ...(given === undefined ? {} : { DEFAULT_CERT: given }) };
        const settings = readSettings('proxy', { env, secretsDir: '/nowhere' });
        const options = { settings, keys: [], secure: false, clientAuthorities: undefined, logger: silentLogger };
        const { store } = await OwnCertificates.open(options);
        expect(store.find('other.example')?.name).to.equal(name);
      });

    it('are left out, and named, where they are no files: a FIFO would hold up the others', async () => {
      await mkdir(join(directory, 'folder.pem'));
      await symlink('/dev/null', join(directory, 'a-device.pem'));
      await writeFile(join(directory, 'shop.pem'), shop.pem);
      const certificates = new CertificateStore();
      const warned: string[] = [];
      const logger = {
        ...silentLogger,
        warn: ({ file, err }: { readonly file: string; readonly err: unknown }) =>
          warned.push(`${file} ${messageOf(err)}`),
      };
      await new CertificateFiles({ certificates, directory, secretsDirectory: '/nowhere', logger }).read();
      expect(certificates.listing().map(({ name }) => name)).to.deep.equal(['shop']);
      expect(warned).to.deep.equal([
        `${join(directory, 'a-device.pem')} expected a regular file, and it is a device`,
        `${join(directory, 'folder.pem')} expected a regular file, and it is a directory`,
      ]);
    });

    it('keep serving while a renewal is half written', async () => {
      const file = join(directory, 'shop.pem');
      const certificates = new CertificateStore();
      const files = new CertificateFiles({
        certificates,
        directory,
        secretsDirectory: '/nowhere',
        logger: silentLogger,
      });
      await writeFile(file, shop.pem);
      await files.read();
      const before = certificates.find('shop.example');
      await writeFile(file, shop.pem.slice(0, 200));
      await files.read();
      expect(certificates.find('shop.example')).to.equal(before);
      const renewed = await testCertificate(['shop.example']);
      await writeFile(file, renewed.pem);
      await files.read();
      expect(certificates.find('shop.example')?.key.trim()).to.equal(renewed.key.trim().replaceAll('\r', ''));
    });
  });

  describe('of services', () => {
    const key = secretsKeyOf(Buffer.alloc(32, 1).toString('base64'));
    const definitionWith = (serviceCert: string | undefined): ServiceDefinition => ({
      version: 1,
      service: 'web',
      owner: 'swarm',
      source: { kind: 'rest', by: 'test' },
      updatedAt: '',
      destinations: [{ index: 0, since: 0, port: 80 }],
      ...(serviceCert === undefined ? {} : { serviceCert }),
    });
    const changeWith = (serviceCert: string | undefined) =>
      new Map([
        [
          'swarm/web' as const,
          {
            key: 'swarm/web' as const,
            definition: definitionWith(serviceCert),
            endpoints: undefined,
            origin: 'registry' as const,
            addressesFresh: true,
          },
        ],
      ]);
    const seal = (pem: string) => {
      const pair = splitPem(pem);
      if (pair === undefined || key === undefined) throw new Error('not a pair');
      return sealCertificate(pair, 'swarm/web', [key]);
    };
    let certificates: CertificateStore;
    const serviceCertificates = (keys = key === undefined ? [] : [key], now = Date.now) =>
      new ServiceCertificates({ certificates, keys, now });

    beforeEach(() => {
      certificates = new CertificateStore();
    });

    it('come and go with their service', () => {
      const services = serviceCertificates();
      services.apply(changeWith(seal(shop.pem)));
      expect(certificates.find('shop.example')?.name).to.equal('swarm/web');
      services.apply(changeWith(undefined));
      expect(certificates.isEmpty).to.equal(true);
      services.apply(changeWith(seal(shop.pem)));
      services.apply(new Map([['swarm/web', undefined]]));
      expect(certificates.isEmpty).to.equal(true);
    });

    it('are a problem without the key they were sealed with', () => {
      const services = serviceCertificates([]);
      services.apply(changeWith(seal(shop.pem)));
      expect(certificates.isEmpty).to.equal(true);
      expect(services.problems().get('swarm/web')?.[0]).to.include({ reason: 'certificate-unreadable' });
      expect(services.problems().get('swarm/web')?.[0]?.suggestion).to.include('SECRETS_KEY');
    });

    it('are a problem where another one is served for their names, which is named', async () => {
      const services = serviceCertificates();
      const other = await testCertificate(['www.shop.example', 'other.example']);
      services.apply(changeWith(seal(shop.pem)));
      expect(services.problems().size).to.equal(0);
      // The same certificate under another name takes nothing away.
      certificates.replace('file', [read('same', shop.pem)]);
      expect(services.problems().size).to.equal(0);
      certificates.replace('secret', [read('other', other.pem)]);
      const [problem, ...more] = services.problems().get('swarm/web') ?? [];
      expect(more).to.deep.equal([]);
      expect(problem).to.include({ reason: 'certificate-outranked', severity: 'warning', label: 'serviceCert' });
      expect(problem?.message).to.equal(
        'www.shop.example: the certificate other (secret) is served instead of that of swarm/web',
      );
      expect(problem?.suggestion).to.include('other');
    });

    it('are a problem of the service whose certificate another service outranks', async () => {
      const services = serviceCertificates();
      services.apply(changeWith(seal(shop.pem)));
      const other = await testCertificate(['shop.example']);
      certificates.replace('service', [...certificates.of('service'), read('swarm/zoo', other.pem)]);
      const [problem] = services.problems().get('swarm/web') ?? [];
      expect(problem?.message).to.equal(
        'shop.example: the certificate of swarm/zoo is served instead of that of swarm/web',
      );
    });

    it('are a problem two weeks before their end', async () => {
      const ends = new Date(Date.now() + 20 * 86_400_000);
      const soon = await testCertificate(['shop.example'], { expires: ends });
      let nowMs = Date.now();
      const services = serviceCertificates(undefined, () => nowMs);
      services.apply(changeWith(seal(soon.pem)));
      expect(services.problems().size).to.equal(0);
      nowMs += 7 * 86_400_000;
      expect(services.problems().get('swarm/web')?.[0]?.reason).to.equal('certificate-expiring');
      nowMs += 14 * 86_400_000;
      expect(services.problems().get('swarm/web')?.[0]?.reason).to.equal('certificate-expired');
    });
  });
});
