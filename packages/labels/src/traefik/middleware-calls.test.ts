import { expect } from 'chai';
import { middlewareKindOf } from '../middlewares/middleware-values.ts';
import type { GivenOptions } from './given-options.ts';
import { middlewareKeys } from './label-keys.ts';
import { middlewareCall } from './middleware-calls.ts';

function given(...keys: readonly string[]): GivenOptions {
  return new Map(keys.map((key) => [key.toLowerCase(), { label: key, value: '1' }]));
}

describe('the table from middlewares of Traefik to ours', () => {
  it('has a line for every option that is read as a label', () => {
    const kinds = Object.entries(middlewareKeys).filter(([kind]) => !['chain', 'digestAuth', 'plugin'].includes(kind));
    const missing = kinds.flatMap(([kind, keys]) =>
      keys
        .map((key) => `${kind}.${key.replace('*', 'X-Name')}`)
        .filter((key) => key !== 'errors.service')
        .filter((key) => {
          const call = middlewareCall(given(key));
          return 'why' in call && /^(its option|there is no middleware)/.test(call.why);
        }),
    );
    expect(missing).to.deep.equal([]);
  });

  it('writes only options that ours have', () => {
    const wrong = Object.entries(middlewareKeys).flatMap(([kind, keys]) =>
      keys.flatMap((key) => {
        const call = middlewareCall(given(`${kind}.${key.replace('*', 'X-Name')}`));
        if ('why' in call) return [];
        return [call, ...(call.first === undefined ? [] : [call.first])].flatMap(({ kind: name, options }) => {
          const names = Object.entries(middlewareKindOf(name)?.options ?? {}).map(([field, { name }]) => name ?? field);
          return options.map(({ option }) => option.split('.')[0] ?? '').filter((option) => !names.includes(option));
        });
      }),
    );
    expect(wrong).to.deep.equal([]);
  });

  it('closes a middleware with an option that has no line: it may restrict', () => {
    expect(middlewareCall(given('ratelimit.average', 'ratelimit.denied'))).to.include({ kind: 'unsupported' });
    expect(middlewareCall(given('__proto__.x'))).to.include({ kind: 'unsupported' });
  });
});
