import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceDefinition } from '@swarmgate/registry';
import { expect } from 'chai';
import { routeOf } from '../../../test/middleware-fixture.ts';
import { UserProblems } from './user-problems.ts';

const hash = '$apr1$3BE.oF0m$UzN2B8.occsYi0JJYh0E9/';

describe('services whose users cannot be let in', () => {
  let secretsDir = '';
  beforeEach(async () => {
    secretsDir = await mkdtemp(join(tmpdir(), 'swarmgate-user-problems-'));
    await writeFile(join(secretsDir, 'dfp_users_team'), 'ann:pw1\nBob:pw2\n');
    await writeFile(join(secretsDir, 'dfp_users_empty'), '\n# nothing\n');
  });
  afterEach(() => rm(secretsDir, { recursive: true, force: true }));

  const problemsOf = async (
    labels: Partial<ServiceDefinition>,
    settings: { readonly users?: string; readonly usersPassEncrypted?: boolean } = {},
  ) => {
    const given = { users: settings.users, usersPassEncrypted: settings.usersPassEncrypted ?? false };
    const problems = new UserProblems({ settings: given, secretsDir });
    problems.apply('swarm/web', routeOf(labels).definition);
    await problems.look();
    return [...problems.problems()].flatMap(([key, found]) => found.map((each) => ({ key, ...each })));
  };
  const names = (...usernames: string[]) => usernames.map((username) => ({ username }));

  const fine: readonly (readonly [string, Partial<ServiceDefinition>, { readonly users?: string }?])[] = [
    ['has no users', {}],
    ['has users with passwords', { users: [{ username: 'jane', passwordHash: hash }] }],
    ['takes all of a secret', { usersSecret: 'team' }],
    ['names users of a secret, in any case', { users: names('ann', 'bob'), usersSecret: 'team' }],
    ['names users of USERS', { users: names('jane') }, { users: 'jane:x,john:y' }],
  ];
  for (const [what, labels, settings] of fine)
    it(`are none where a service ${what}`, async () => {
      expect(await problemsOf(labels, settings)).to.deep.equal([]);
    });

  const reported: readonly (readonly [string, Partial<ServiceDefinition>, object, RegExp, string])[] = [
    [
      'a secret that is not mounted',
      { usersSecret: 'other' },
      {},
      /dfp_users_other is not mounted.*every request/,
      'usersSecret',
    ],
    [
      'a secret that is not mounted, beside names',
      { usersSecret: 'other', users: names('ann') },
      {},
      /dfp_users_other is not mounted/,
      'usersSecret',
    ],
    [
      'a secret without users',
      { usersSecret: 'empty' },
      {},
      /dfp_users_empty holds no user: every request/,
      'usersSecret',
    ],
    [
      'a secret whose passwords are no hashes',
      { usersSecret: 'team', usersPassEncrypted: true },
      {},
      /dfp_users_team holds no user/,
      'usersSecret',
    ],
    [
      'names without USERS',
      { users: names('jane') },
      {},
      /no password for 1 of 1 users.*USERS.*every request/,
      'users',
    ],
    [
      'names that USERS has not',
      { users: names('jane', 'ann') },
      { users: 'john:x' },
      /no password for 2 of 2/,
      'users',
    ],
    [
      'one name that the secret has not',
      { users: names('ann', 'zoe'), usersSecret: 'team' },
      {},
      /no password for 1 of 2 users.*dfp_users_team: their requests/,
      'users',
    ],
  ];
  for (const [what, labels, settings, message, label] of reported)
    it(`are notified of ${what}, without a name of them`, async () => {
      const found = await problemsOf(labels, settings);
      expect(found.map((each) => [each.key, each.reason, each.label])).to.deep.equal([
        ['swarm/web', 'users-unresolved', label],
      ]);
      expect(found[0]?.message).to.match(message);
      expect(found[0]?.suggestion).to.be.a('string');
      expect(JSON.stringify(found)).to.not.match(/jane|zoe|\bann\b|pw1/);
    });

  it('are all that have none of their own where USERS holds none', async () => {
    const [problem] = await problemsOf({}, { users: 'john:x', usersPassEncrypted: true });
    expect([problem?.key, problem?.reason]).to.deep.equal(['env/settings', 'users-unresolved']);
  });

  it('are none any more once the secret is there, or the service gone', async () => {
    const problems = new UserProblems({ settings: { users: undefined, usersPassEncrypted: false }, secretsDir });
    problems.apply('swarm/web', routeOf({ usersSecret: 'late' }).definition);
    problems.apply('swarm/gone', routeOf({ usersSecret: 'late' }).definition);
    await problems.look();
    expect([...problems.problems().keys()]).to.deep.equal(['swarm/web', 'swarm/gone']);
    problems.apply('swarm/gone', undefined);
    await problems.look();
    expect([...problems.problems().keys()]).to.deep.equal(['swarm/web']);
    await writeFile(join(secretsDir, 'dfp_users_late'), 'ann:pw1\n');
    await problems.look();
    expect(problems.problems().size).to.equal(0);
  });
});
