import { translateParameters } from '@swarmgate/labels';
import { readSettings, silentLogger } from '@swarmgate/runtime';
import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { exchangeOf, headOf, responseOf, routeOf } from '../../test/middleware-fixture.ts';
import { normalizePath } from '../routing/normal-path.ts';
import { createMiddleware } from './compile-middleware.ts';

const context = {
  owner: 'swarm',
  separator: ',',
  source: { kind: 'rest', by: 'a test' },
  updatedAt: '2026-01-02T03:04:05.000Z',
  nowMs: 1,
} as const;

const anything = fc.string({ unit: 'binary', maxLength: 40 });
const likely = fc.stringMatching(/^[a-zA-Z0-9 ,:/.%{}[\]()*+?^$|'"\\_-]{1,40}$/);
const value = fc.oneof(
  anything,
  likely,
  likely.map((text) => `X-Name ${text}`),
  fc.constantFrom('true', 'GET', 'a,b', '5/s'),
);
// Users are hashed, which is slow and tested elsewhere.
const labels = fc.dictionary(
  fc.constantFrom(
    ...['addReqHeader', 'setReqHeader', 'delReqHeader', 'addResHeader', 'setResHeader', 'delResHeader'],
    ...[
      'reqPathSearchReplace',
      'reqPathSearch',
      'reqPathReplace',
      'allowedMethods',
      'deniedMethods',
      'allowedAddresses',
    ],
    ...['rateLimit', 'rateLimitKey', 'httpsOnly', 'denyHttp', 'sessionType', 'connectionMode', 'redirectWhenHttpProto'],
  ),
  value,
  { maxKeys: 6 },
);

describe('middleware, whatever the labels contain', () => {
  const settings = readSettings('proxy', { env: {}, secretsDir: '/nonexistent' });
  const { middlewareOf, stop } = createMiddleware({ settings, env: { NOTE: 'ü\r\n€' }, logger: silentLogger });
  after(stop);

  it('never throws, and leaves what can be sent: a normal path and lawful headers', async () => {
    let served = 0;
    await fc.assert(
      fc.asyncProperty(labels, likely, async (given, path) => {
        const { definition } = translateParameters(
          { serviceName: 'x', servicePath: '/', port: '80', ...given },
          context,
        );
        const normal = normalizePath(`/${path}`);
        if (definition === undefined || !normal.ok) return;
        served += 1;
        const route = routeOf(definition, definition.destinations[0]);
        const exchange = exchangeOf(route, { path: normal.path, headers: ['Cookie', `x=${path}`, 'X-Name', path] });
        const response = await responseOf(middlewareOf(route), exchange);
        const head = headOf(['Content-Type', 'text/html']);
        if (response === undefined) for (const step of middlewareOf(route)) step.onResponse?.(exchange, head);
        expect(normalizePath(exchange.path)).to.deep.equal({ ok: true, path: exchange.path });
        for (const text of [...exchange.request.flat, ...head.headers.flat, ...(response?.headers ?? [])])
          expect(text).to.match(/^[\t\x20-\x7e\x80-\xff]*$/);
      }),
      fuzzRuns(400, 20260102),
    );
    expect(served).to.be.greaterThan(20);
  });
});
