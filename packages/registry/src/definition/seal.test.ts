import { randomBytes } from 'node:crypto';
import type { ServiceDefinition } from '@swarmgate/labels';
import { isPasswordHash } from '@swarmgate/labels';
import { expect } from 'chai';
import { createSealer, type PlainSecrets } from './seal.ts';
import { openCertificate, type SecretsKey, sealCertificate, secretsKeyOf } from './seal-certificate.ts';
import { hashPassword, verifyHashedPassword } from './seal-passwords.ts';

const definition: ServiceDefinition = {
  version: 1,
  service: 'go-demo',
  owner: 'swarm',
  source: { kind: 'rest', by: 'a test' },
  updatedAt: '2026-01-02T03:04:05.000Z',
  users: [{ username: 'jane' }, { username: 'joe' }],
  destinations: [{ index: 0, since: 7, servicePath: ['/'], port: 80 }],
};
const passwords = (of: Record<string, string>): PlainSecrets => ({ passwords: new Map(Object.entries(of)) });
const newKey = () => secretsKeyOf(randomBytes(32).toString('base64')) as SecretsKey;

const pem = {
  certificate: '-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----',
  privateKey: '-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----',
};
const withCertificate: PlainSecrets = { passwords: new Map(), certificate: `${pem.certificate}\n${pem.privateKey}\n` };

describe('seal, passwords', () => {
  it('hashes with a salt, and verifies', async () => {
    const [one, two] = await Promise.all([hashPassword('hush'), hashPassword('hush')]);
    expect(one).to.not.equal(two);
    expect(isPasswordHash(one)).to.equal(true);
    expect(await verifyHashedPassword('hush', one)).to.equal(true);
    expect(await verifyHashedPassword('Hush', one)).to.equal(false);
  });

  it('does not work for a hash that would cost minutes', async () => {
    const costly = (await hashPassword('hush')).replace('ln=14', 'ln=30');
    expect(await verifyHashedPassword('hush', costly)).to.equal(false);
    expect(await verifyHashedPassword('hush', 'hush')).to.equal(false);
  });

  it('keeps the hash of an unchanged password and hashes others again', async () => {
    const first = await createSealer([]).seal(definition, passwords({ jane: 'a', joe: 'b' }), undefined);
    expect(first.ok).to.equal(true);
    if (!first.ok) return;
    expect(JSON.stringify(first.definition)).to.not.match(/"(a|b)"/);
    // Another process has nothing of the first one but the document.
    const second = await createSealer([]).seal(definition, passwords({ jane: 'a', joe: 'c' }), first.definition);
    if (!second.ok) throw new Error('not sealed');
    expect(second.definition.users?.[0]).to.deep.equal(first.definition.users?.[0]);
    expect(second.definition.users?.[1]).to.not.deep.equal(first.definition.users?.[1]);
  });

  it('hashes once what a call that was given up has hashed', async () => {
    const sealer = createSealer([]);
    const [one, other] = await Promise.all([
      sealer.seal(definition, passwords({ jane: 'a', joe: 'b' }), undefined),
      sealer.seal(definition, passwords({ jane: 'a' }), undefined),
    ]);
    const again = await sealer.seal(definition, passwords({ jane: 'a', joe: 'b' }), undefined);
    if (!one.ok || !other.ok || !again.ok) throw new Error('not sealed');
    expect(again.definition.users?.[1]).to.deep.equal(one.definition.users?.[1]);
    // The same password of another user has a hash of its own.
    const jack = { ...definition, users: [{ username: 'jack' }] };
    const another = await sealer.seal(jack, passwords({ jack: 'a' }), undefined);
    expect(another.ok && another.definition.users?.[0]?.passwordHash).to.not.equal(
      again.definition.users?.[0]?.passwordHash,
    );
  });

  it('hashes one password at a time for all that seal, in turns', async () => {
    const order: string[] = [];
    let running = 0;
    const sealer = createSealer([], async (password) => {
      running += 1;
      expect(running).to.equal(1);
      order.push(password);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return `$scrypt$${password}`;
    });
    const three = { ...definition, users: ['x', 'y', 'z'].map((username) => ({ username })) };
    await Promise.all(
      ['a', 'b'].map((service) =>
        sealer.seal(
          { ...three, service },
          passwords({ x: `${service}1`, y: `${service}2`, z: `${service}3` }),
          undefined,
        ),
      ),
    );
    expect(order).to.deep.equal(['a1', 'b1', 'a2', 'b2', 'a3', 'b3']);
  });

  it('refuses a definition with more passwords in plain than are hashed in some seconds', async () => {
    const users = Array.from({ length: 501 }, (_, at) => ({ username: `user-${at}` }));
    const many = Object.fromEntries(users.map(({ username }) => [username, 'hush']));
    const sealed = await createSealer([]).seal({ ...definition, users }, passwords(many), undefined);
    expect(sealed.ok ? [] : sealed.problems.map(({ reason }) => reason)).to.deep.equal(['service-too-large']);
  });

  it('leaves users without a password to be looked up', async () => {
    const sealed = await createSealer([]).seal(definition, passwords({ jane: 'a' }), undefined);
    expect(sealed.ok && sealed.definition.users?.[1]).to.deep.equal({ username: 'joe' });
  });
});

describe('seal, certificates', () => {
  it('refuses a private key without SECRETS_KEY, and says so', async () => {
    const sealed = await createSealer([]).seal(definition, withCertificate, undefined);
    expect(sealed.ok).to.equal(false);
    if (sealed.ok) return;
    expect(sealed.problems[0]?.message).to.include('SECRETS_KEY');
    expect(JSON.stringify(sealed)).to.not.include('SECRET\\n');
  });

  it('opens for the same service only, and shows the certificate but not the key', async () => {
    const key = newKey();
    const sealed = await createSealer([key]).seal(definition, withCertificate, undefined);
    const text = (sealed.ok && sealed.definition.serviceCert) || '';
    expect(text).to.include(pem.certificate).and.not.include('SECRET');
    expect(openCertificate(text, 'swarm/go-demo', [key])).to.deep.equal({ ok: true, pair: pem, keyId: key.id });
    expect(openCertificate(text, 'swarm/other', [key])).to.deep.equal({ ok: false, reason: 'broken' });
    expect(openCertificate(text, 'swarm/go-demo', [newKey()])).to.deep.equal({ ok: false, reason: 'key-unknown' });
    expect(openCertificate(text.replace('QUJD', 'QUJE'), 'swarm/go-demo', [key])).to.deep.equal({
      ok: false,
      reason: 'broken',
    });
  });

  it('keeps an unchanged one, and seals it again when the key is rotated', async () => {
    const [old, fresh] = [newKey(), newKey()];
    const first = await createSealer([old]).seal(definition, withCertificate, undefined);
    if (!first.ok) throw new Error('not sealed');
    const again = await createSealer([old]).seal(definition, withCertificate, first.definition);
    expect(again).to.deep.equal(first);
    const rotated = await createSealer([fresh, old]).seal(definition, withCertificate, first.definition);
    if (!rotated.ok) throw new Error('not sealed');
    expect(openCertificate(rotated.definition.serviceCert ?? '', 'swarm/go-demo', [fresh]).ok).to.equal(true);
  });

  it('reads what it wrote with the older of two keys', () => {
    const [old, fresh] = [newKey(), newKey()];
    expect(openCertificate(sealCertificate(pem, 'a', [old]), 'a', [fresh, old]).ok).to.equal(true);
  });

  it('accepts a key of 32 bytes only', () => {
    expect(secretsKeyOf(randomBytes(16).toString('base64'))).to.equal(undefined);
    expect(secretsKeyOf('no key at all')).to.equal(undefined);
  });
});
