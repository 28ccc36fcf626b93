import { findLabel, type MiddlewareUse, middlewareKinds } from '@swarmgate/labels';
import { expect } from 'chai';
import { passwordFits } from '../../packages/proxy/src/middleware/auth/password-check.ts';

function usesOf(label: string, value: string): readonly MiddlewareUse[] {
  const known = findLabel(label);
  if (known === undefined || known.scope === 'other') throw new Error(`no label ${label}`);
  const parsed = known.entry.parse(value, { separator: ',' });
  if (!parsed.ok) throw new Error(`${value}: expected ${parsed.expected}`);
  return parsed.value as readonly MiddlewareUse[];
}

describe('docs/middlewares.md', () => {
  for (const { kind, example } of Object.values(middlewareKinds))
    it(`has an example of ${kind} that is taken in com.df.middlewares`, () => {
      const [use] = usesOf('middlewares', `${kind}(${example})`);
      expect(use?.kind).to.equal(kind);
    });

  it('has an example of basicAuth that lets its user in by the password alone', () => {
    const [use] = usesOf('middlewares', `basicAuth(${middlewareKinds.basicAuth.example})`);
    const [user] = use?.kind === 'basicAuth' ? use.users : [];
    expect(user?.username).to.equal('jane');
    expect(passwordFits('correct-horse', user?.passwordHash ?? '')).to.equal(true);
    expect(passwordFits('correct-house', user?.passwordHash ?? '')).to.equal(false);
  });
});
