import { expect } from 'chai';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { until } from '../../../test/until.ts';
import type { PluginHandler } from './plugin.ts';
import { type PluginObserver, pluginHandler } from './plugin-handler.ts';

/** What a handler did, in order. */
function run(
  handler: (...given: never[]) => unknown,
  options: { readonly suspended?: boolean; readonly error?: unknown } = {},
) {
  const seen: string[] = [];
  const observer: PluginObserver = {
    took: (plugin) => seen.push(`took ${plugin}`),
    misused: (_plugin, what) => seen.push(`misused: ${what}`),
    entered: (plugin) => {
      seen.push(`entered ${plugin}`);
      return 7;
    },
    left: (before) => seen.push(`left ${before}`),
    isSuspended: () => options.suspended === true,
  };
  const handled = {
    respond: ({ status, reason }: { readonly status: number; readonly reason: string }) =>
      seen.push(`${status} ${reason}`),
    onFault: (error: unknown) => seen.push(`fault ${String(error)}`),
  };
  const request = Object.create({ of: 'request' }) as Request & { readonly failedPlugin?: string };
  Object.assign(request, { handled });
  const response = Object.assign(Object.create({ of: 'response' }) as Response, {
    headersSent: false,
    writableEnded: false,
  });
  const next: NextFunction = (error?: unknown) =>
    seen.push(error === undefined ? 'next' : `next ${String(error)} of ${request.failedPlugin}`);
  const wrapped = pluginHandler('mine', handler as unknown as PluginHandler, observer);
  if (wrapped.length === 4) (wrapped as (...given: unknown[]) => void)(options.error, request, response, next);
  else (wrapped as RequestHandler)(request, response, next);
  return { seen, request, response };
}

type Next = (error?: unknown) => void;
const passed = ['entered mine', 'took mine', 'next', 'left 7'];
const twice = 'misused: it called next more than once for one request';

describe('a handler of a plug-in', () => {
  const cases: readonly (readonly [what: string, handler: (...given: never[]) => unknown, seen: readonly string[]])[] =
    [
      ['passes on', (_q: unknown, _r: unknown, next: Next) => next(), passed],
      ['passes on with null', (_q: unknown, _r: unknown, next: Next) => next(null), passed],
      ["leaves its own router: next('router')", (_q: unknown, _r: unknown, next: Next) => next('router'), passed],
      ["leaves its own route: next('route')", (_q: unknown, _r: unknown, next: Next) => next('route'), passed],
      [
        'passes an error on',
        (_q: unknown, _r: unknown, next: Next) => next('no'),
        ['entered mine', 'took mine', 'next no of mine', 'left 7'],
      ],
      [
        'throws',
        () => {
          throw new Error('no');
        },
        ['entered mine', 'took mine', 'next Error: no of mine', 'left 7'],
      ],
      [
        'throws after it passed on',
        (_q: unknown, _r: unknown, next: Next) => {
          next();
          throw new Error('no');
        },
        ['entered mine', 'took mine', 'next', 'fault Error: no', 'left 7'],
      ],
      [
        'passes on twice',
        (_q: unknown, _r: unknown, next: Next) => {
          next();
          next();
        },
        ['entered mine', 'took mine', 'next', twice, 'left 7'],
      ],
      [
        'passes on what it has responded to',
        (_q: unknown, response: { writableEnded: boolean }, next: Next) => {
          response.writableEnded = true;
          next();
          next();
        },
        ['entered mine', 'misused: it called next for a request that it had responded to', twice, 'left 7'],
      ],
      [
        'passes on what it has begun to respond to',
        (_q: unknown, response: { headersSent: boolean }, next: Next) => {
          response.headersSent = true;
          next();
        },
        ['entered mine', 'misused: it called next for a request that it had responded to', 'left 7'],
      ],
      ['responds, or does nothing', () => undefined, ['entered mine', 'left 7']],
    ];
  for (const [what, handler, seen] of cases) it(what, () => expect(run(handler).seen).to.deep.equal(seen));

  const rejections: readonly (readonly [what: string, handler: () => unknown, shown: string])[] = [
    ['a promise', () => Promise.reject(new Error('no')), 'Error: no'],
    ['a promise of nothing', () => Promise.reject(), 'Error: the plug-in mine failed without an error'],
    [
      'a promise of a library',
      // biome-ignore lint/suspicious/noThenProperty: what some libraries give instead of a promise
      () => ({ then: (_done: unknown, fail: (error: unknown) => void) => fail(new Error('no')) }),
      'Error: no',
    ],
  ];
  for (const [what, handler, shown] of rejections)
    it(`rejects: ${what}`, async () => {
      const { seen } = run(handler);
      await until(() => seen.length === 4, 'the rejection');
      expect(seen).to.deep.equal(['entered mine', 'left 7', 'took mine', `next ${shown} of mine`]);
    });

  it('is not called while its plug-in is suspended', () => {
    const { seen } = run(() => expect.fail('called'), { suspended: true });
    expect(seen).to.deep.equal(['503 plugin-suspended']);
  });

  it('takes the error before it where it has four parameters', () => {
    const { seen } = run((error: unknown, _q: unknown, _r: unknown, next: Next) => next(`${error}, taken`), {
      error: 'no',
    });
    expect(seen).to.include('next no, taken of mine');
  });

  it('gives both objects back with the methods that they had: an app exchanges them', () => {
    const { request, response } = run((requested: object, responded: object, next: Next) => {
      Object.setPrototypeOf(requested, {});
      Object.setPrototypeOf(responded, {});
      next();
    });
    expect([request, response]).to.have.nested.property('[0].of', 'request');
    expect(response).to.have.property('of', 'response');
  });
});
