import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashPassword, type ServiceDefinition } from '@swarmgate/registry';
import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { exchangeOf, outcomeOf, responseOf, routeOf } from '../../../test/middleware-fixture.ts';
import type { Middleware } from '../middleware.ts';
import { basicAuth } from './basic-auth.ts';
import { PasswordVerifier } from './password-verifier.ts';
import { UserDirectory, type UserDirectoryOptions } from './user-directory.ts';

const basic = (text: string) => ['Authorization', `Basic ${Buffer.from(text).toString('base64')}`];

// hush, by mkpasswd -m sha-512 and -m sha-256, htpasswd -nbB -C 4 and htpasswd -nbm.
const hashes = {
  'crypt $6$': '$6$abcdefgh$Gwb/KPwDniyXVV9jwy4WCVT7wTdvxn23ofYfPBiJSSsoB2vSXWMvHe4SJR1KiHAvz4inN/yrSvSCByKthsH8p.',
  'crypt $5$': '$5$abc$S4oEdOXfic9weskzEQ4cm6oM8nHFeDvtX8gsMpBn0XA',
  bcrypt: '$2b$06$pl4H2qM8E1fPsnI9MGLm7.Hf5l1mfWb1BQlYqSZfIcf7j9UcFuwhe',
  apr1: '$apr1$3BE.oF0m$UzN2B8.occsYi0JJYh0E9/',
};

describe('basicAuth', () => {
  const verifier = new PasswordVerifier();
  let secretsDir = '';
  before(async () => {
    secretsDir = await mkdtemp(join(tmpdir(), 'swarmgate-users-'));
    await writeFile(join(secretsDir, 'dfp_users_team'), `ann:pw1\nBob:pw2,broken:\n`);
    await writeFile(join(secretsDir, 'dfp_users_hashed'), `ann:${hashes.apr1}\nplain:hush\n`);
  });
  after(async () => {
    await verifier.stop();
    await rm(secretsDir, { recursive: true });
  });

  function stepsOf(labels: Partial<ServiceDefinition>, given: Partial<UserDirectoryOptions> = {}): Middleware[] {
    const directory = new UserDirectory({
      users: undefined,
      usersPassEncrypted: false,
      secretsDir,
      logger: silentLogger,
      ...given,
    });
    const { definition } = routeOf(labels);
    const scope = directory.requiredBy(definition);
    if (scope === 'none') return [];
    const { remember, check } = basicAuth({ definition, scope, directory, verifier });
    return [remember, check];
  }

  const outcome = (steps: Middleware[], ...headers: string[]) => outcomeOf(steps, exchangeOf(routeOf(), { headers }));

  for (const [kind, passwordHash] of Object.entries(hashes)) {
    it(`compares with ${kind}`, async () => {
      const steps = stepsOf({ users: [{ username: 'jane', passwordHash }] });
      expect(await outcome(steps, ...basic('jane:hush'))).to.equal('passes');
      expect(await outcome(steps, ...basic('jane:Hush'))).to.equal('401 credentials-wrong');
    });
  }

  it('takes as long for an unknown name, whatever was tried before', async () => {
    const users = [
      { username: 'jane', passwordHash: await hashPassword('one') },
      { username: 'bob', passwordHash: await hashPassword('two') },
    ];
    const [remember, check] = stepsOf({ users });
    for (const user of ['unknown-1', 'unknown-2', 'unknown-3', 'jane', 'bob', 'unknown-4']) {
      const exchange = exchangeOf(routeOf(), { headers: basic(`${user}:guessed`) });
      await remember?.onRequest?.(exchange);
      const decision = check?.onRequest?.(exchange);
      expect(decision, `${user} is served without hashing`).to.be.a('promise');
      await decision;
    }
  });

  it('compares with our own hash, challenges a request without credentials, and removes Authorization', async () => {
    const steps = stepsOf({ users: [{ username: 'jane', passwordHash: await hashPassword('a:b ü') }] });
    const response = await responseOf(steps, exchangeOf(routeOf()));
    expect(response).to.include({ status: 401, reason: 'credentials-required' });
    expect(response?.headers).to.deep.equal(['WWW-Authenticate', 'Basic realm="go-demoRealm"']);
    const exchange = exchangeOf(routeOf(), { headers: [...basic('jane:a:b ü'), 'X', '1'] });
    expect(await outcomeOf(steps, exchange)).to.equal('passes');
    expect(exchange.user).to.equal('jane');
    expect(exchange.request.flat).to.deep.equal(['X', '1']);
    expect(await outcome(steps, ...basic('joe:a:b ü'))).to.equal('401 credentials-wrong');
  });

  // [what it shows, labels, global USERS, credentials, outcome]
  const cases: readonly [string, Partial<ServiceDefinition>, string | undefined, string, string][] = [
    ['all users of a secret file', { usersSecret: 'team' }, undefined, 'ann:pw1', 'passes'],
    ['a wrong password of it', { usersSecret: 'team' }, undefined, 'ann:pw2', '401 credentials-wrong'],
    ['a broken line denies access', { usersSecret: 'team' }, undefined, 'broken:', '401 credentials-wrong'],
    [
      'names without case, looked up in the file',
      { usersSecret: 'team', users: [{ username: 'bob' }] },
      undefined,
      'bob:pw2',
      'passes',
    ],
    [
      'others of the file stay out',
      { usersSecret: 'team', users: [{ username: 'bob' }] },
      undefined,
      'ann:pw1',
      '401 credentials-wrong',
    ],
    ['hashes in the file', { usersSecret: 'hashed', usersPassEncrypted: true }, undefined, 'ann:hush', 'passes'],
    [
      'a plain line among hashes',
      { usersSecret: 'hashed', usersPassEncrypted: true },
      undefined,
      'plain:hush',
      '401 credentials-wrong',
    ],
    ['a name looked up in USERS', { users: [{ username: 'gus' }] }, 'gus:pw', 'gus:pw', 'passes'],
    ['an unknown name', { users: [{ username: 'zoe' }] }, 'gus:pw', 'zoe:', '401 credentials-unresolved'],
    ['a file that is not there', { usersSecret: 'none' }, 'gus:pw', 'gus:pw', '401 credentials-unresolved'],
    ['a file outside', { usersSecret: '../team' }, undefined, 'ann:pw1', '401 credentials-unresolved'],
    ['USERS for all services', {}, 'gus:pw', 'gus:pw', 'passes'],
    ['USERS that cannot be read', {}, 'gus:', 'gus:', '401 credentials-unresolved'],
    ['users of the service replace USERS', { usersSecret: 'team' }, 'gus:pw', 'gus:pw', '401 credentials-wrong'],
    ['no users anywhere', {}, undefined, 'x:y', 'passes'],
  ];
  for (const [what, labels, users, credentials, expected] of cases) {
    it(`${what}: ${expected}`, async () => {
      expect(await outcome(stepsOf(labels, { users }), ...basic(credentials))).to.equal(expected);
    });
  }

  for (const header of [
    'Bearer x',
    'Basic',
    'Basic !!!',
    `Basic ${Buffer.from('nocolon').toString('base64')}`,
    `Basic ${'A'.repeat(9000)}`,
  ]) {
    it(`requests credentials again for ${header.slice(0, 20)}`, async () => {
      expect(await outcome(stepsOf({}, { users: 'gus:pw' }), 'Authorization', header)).to.equal(
        '401 credentials-required',
      );
    });
  }

  it('judges by what the client sent, not by what a header rule made of it', async () => {
    const [remember, check] = stepsOf({}, { users: 'gus:pw' }) as [Middleware, Middleware];
    const [, value = ''] = basic('gus:pw');
    const rule: Middleware = {
      name: 'rule',
      onRequest: ({ request }) => {
        request.set('Authorization', value);
        return { kind: 'continue' };
      },
    };
    expect(await outcomeOf([remember, rule, check], exchangeOf(routeOf()))).to.equal('401 credentials-required');
  });

  it('leaves an Authorization that a label set for the service', async () => {
    const [remember, check] = stepsOf({}, { users: 'gus:pw' }) as [Middleware, Middleware];
    const exchange = exchangeOf(routeOf(), { headers: basic('gus:pw') });
    await remember.onRequest?.(exchange);
    exchange.request.set('Authorization', 'Basic for-the-service');
    await check.onRequest?.(exchange);
    expect(exchange.request.get('authorization')).to.equal('Basic for-the-service');
  });
});

describe('PasswordVerifier', () => {
  it('responds at once what it has returned before, and hashes once for many at a time', async () => {
    const verifier = new PasswordVerifier();
    const credential = { kind: 'hash', hash: hashes['crypt $5$'] } as const;
    const [one, two] = [verifier.check('jane', 'hush', credential), verifier.check('jane', 'hush', credential)];
    expect(one).to.equal(two);
    expect(await one).to.equal('fits');
    expect(verifier.check('jane', 'hush', credential)).to.equal('fits');
    expect(verifier.check('jane', 'x'.repeat(2000), credential)).to.equal('differs');
    await verifier.stop();
  });

  it('refuses hashes that would take minutes', async () => {
    const verifier = new PasswordVerifier();
    for (const hash of [`$6$rounds=900000000$abc$${'a'.repeat(86)}`, `$2b$31$${'a'.repeat(53)}`])
      expect(await verifier.check('jane', 'hush', { kind: 'hash', hash })).to.equal('differs');
    await verifier.stop();
  });

  it('lets 100 checks wait for the thread, and denies further ones at once', async () => {
    const verifier = new PasswordVerifier();
    const check = (n: number) => verifier.check('jane', `guess ${n}`, { kind: 'hash', hash: hashes.apr1 });
    const waiting = Array.from({ length: 100 }, (_, n) => check(n));
    expect(await check(100)).to.equal('busy');
    await verifier.stop();
    await Promise.all(waiting);
  });

  it('denies access once it has stopped', async () => {
    const verifier = new PasswordVerifier();
    await verifier.stop();
    expect(await verifier.check('jane', 'hush', { kind: 'hash', hash: hashes.apr1 })).to.equal('busy');
  });
});
