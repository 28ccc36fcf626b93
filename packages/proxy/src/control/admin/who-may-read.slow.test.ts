import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { expect } from 'chai';
import { parse } from 'yaml';
import { eventually, type ProxyUnderTest, startProxyUnderTest } from '../../../test/running-proxy.ts';
import { showAddresses } from '../../../test/shown-address.ts';
import { openapiFile } from './openapi-route.ts';

/** `open`: everyone. `plain`: opened by `ADMIN_READ=open`. `guarded`: shows clients, paths or definitions, or changes. */
type Kind = 'open' | 'plain' | 'metrics' | 'guarded';

const kinds: Readonly<Record<string, Kind>> = {
  'GET /healthz': 'open',
  'GET /readyz': 'open',
  'GET /metrics': 'metrics',
  'GET /v1/openapi.yaml': 'plain',
  'GET /v1/docker-flow-proxy/ping': 'plain',
  'GET /v1/test': 'plain',
  'GET /v2/test': 'plain',
  'GET /v1/status': 'plain',
  'GET /v1/routes': 'plain',
  'GET /v1/problems': 'plain',
  'GET /v1/events': 'plain',
  'GET /v1/maintenance': 'plain',
  'POST /v1/maintenance': 'guarded',
  'DELETE /v1/maintenance': 'guarded',
  'GET /v1/docker-flow-proxy/reconfigure': 'guarded',
  'GET /v1/docker-flow-proxy/remove': 'guarded',
  'GET /v1/docker-flow-proxy/reload': 'guarded',
  'GET /v1/docker-flow-proxy/config': 'guarded',
  'GET /v1/docker-flow-proxy/certs': 'guarded',
  'PUT /v1/docker-flow-proxy/cert': 'guarded',
  'GET /v1/certificates': 'guarded',
  'POST /v1/certificates/renew': 'guarded',
  'POST /v1/certificates/import': 'guarded',
  'GET /v1/services': 'guarded',
  'GET /v1/requests': 'guarded',
  'GET /v1/explain': 'guarded',
  'GET /v1/history': 'guarded',
  'POST /v1/reconfigure': 'guarded',
  'POST /v1/check': 'guarded',
  'POST /v1/remove': 'guarded',
  'POST /v1/reload': 'guarded',
  'POST /v1/rollback': 'guarded',
  'POST /v1/restore': 'guarded',
  'POST /v1/restart-workers': 'guarded',
};

type Refusal = 401 | 403;
/** Statuses of refusals by kind; a kind that is not named is let through. */
type Refused = Readonly<Partial<Record<Kind, Refusal>>>;

const everything = { plain: 401, metrics: 401, guarded: 401 } as const;
const farEverything = { plain: 403, metrics: 403, guarded: 403 } as const;
const withToken = { ADMIN_TOKEN: 'right', METRICS_TOKEN: 'scraper' };

const modes: readonly (readonly [
  env: Readonly<Record<string, string>>,
  cases: readonly (readonly [token: string | undefined, near: Refused, far: Refused])[],
])[] = [
  [
    {},
    [
      [undefined, {}, farEverything],
      ['any', {}, farEverything],
    ],
  ],
  [
    { METRICS_TOKEN: 'scraper' },
    [
      [undefined, {}, farEverything],
      ['scraper', {}, { plain: 403, guarded: 403 }],
    ],
  ],
  [
    withToken,
    [
      [undefined, everything, everything],
      ['wrong', everything, everything],
      ['scraper', { plain: 401, guarded: 401 }, { plain: 401, guarded: 401 }],
      ['right', {}, {}],
    ],
  ],
  [
    { ...withToken, ADMIN_READ: 'token' },
    [
      [undefined, everything, everything],
      ['right', {}, {}],
    ],
  ],
  [
    { ...withToken, ADMIN_READ: 'open' },
    [
      [undefined, { guarded: 401 }, { guarded: 401 }],
      ['right', {}, {}],
    ],
  ],
  [{ ADMIN_READ: 'open' }, [[undefined, {}, { guarded: 403 }]]],
  [{ ADMIN_TOKEN: 'none' }, [[undefined, {}, {}]]],
];

describe('who may read what of the admin port', () => {
  const described = parse(readFileSync(openapiFile, 'utf8'), { merge: true }) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
  };
  // The login is what decides: session-routes.test.ts.
  const calls = Object.entries(described.paths)
    .filter(([path]) => path !== '/v1/session')
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
  const callFrom = showAddresses();

  it('is notified of every path that is described', () => {
    expect(Object.keys(kinds).sort()).to.deep.equal([...calls].sort());
  });

  for (const [env, cases] of modes)
    it(`with ${JSON.stringify(env)}`, async () => {
      const under = await startProxyUnderTest({ env });
      try {
        await eventually('the proxy is ready', () => under.proxy.ready());
        for (const [token, near, far] of cases)
          for (const [address, refused] of [
            ['127.0.0.1', near],
            ['192.0.2.7', far],
          ] as const) {
            callFrom(address);
            for (const call of calls)
              await expectStatus(under, call, token, address, refused[kinds[call] ?? 'guarded']);
            // A path that is not known, and known ones in another spelling, are as closed as the rest.
            for (const path of ['/v1/nothing', '/HEALTHZ', '/readyz/'])
              await expectStatus(under, `GET ${path}`, token, address, refused.plain);
            for (const path of ['/V1/EXPLAIN', '/v1/services/', '/v1/requests/'])
              await expectStatus(under, `GET ${path}`, token, address, refused.guarded);
            await expectStatus(under, 'HEAD /v1/services', token, address, refused.guarded);
          }
      } finally {
        await under.stop();
      }
    }).timeout(60_000);

  it('takes a call that another program passes on for no call of this machine', async () => {
    const under = await startProxyUnderTest();
    try {
      for (const header of ['via', 'forwarded', 'x-forwarded-for', 'x-real-ip'])
        expect((await under.call('GET', '/v1/routes', { headers: { [header]: '192.0.2.7' } })).status).to.equal(403);
    } finally {
      await under.stop();
    }
  });
});

async function expectStatus(
  under: ProxyUnderTest,
  call: string,
  token: string | undefined,
  from: string,
  refusal: Refusal | undefined,
): Promise<void> {
  const [method = '', path = ''] = call.split(' ');
  const status = await statusOf(under.proxy.admin.port, method, path, token);
  const what = `${call} from ${from} with ${token ?? 'no token'}`;
  if (refusal === undefined) expect(status, what).to.not.be.oneOf([401, 403]);
  else expect(status, what).to.equal(refusal);
}

/** Only of the head: one of the responses is a stream. */
function statusOf(port: number, method: string, path: string, token: string | undefined): Promise<number | undefined> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      resolve(response.statusCode);
      response.destroy();
    });
    sent.once('error', reject).end();
  });
}
