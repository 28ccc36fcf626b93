import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import { expect } from 'chai';
import { requestHeaders } from '../../src/middleware/header-changes.ts';
import type { Middleware } from '../../src/middleware/middleware.ts';
import { type MakeServer, makeCoreServer, makeExpressServer, makeHttp2Server, startRig } from '../server-rig.ts';
import { endpointAt } from '../test-context.ts';
import { everyServer } from './every-server.ts';

const named = (forwarded: readonly string[] | undefined, name: string) =>
  (forwarded ?? []).filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));

describe('methods, which are an open set (RFC 9110, section 9.1)', () => {
  // RFC 10008, CalDAV, WebDAV, and those that no document names; small letters are another method.
  const methods = ['QUERY', 'MKCALENDAR', 'PURGE', 'BASELINE-CONTROL', 'get', "X!#$%&'*+.^_`|~9"];
  for (const { name, exchange } of everyServer)
    for (const method of methods)
      it(`pass as they were sent: ${method} over ${name}`, async () => {
        const { status, requested, record } = await exchange({ method, target: '/a?b' });
        expect([status, requested, record.method]).to.deep.equal([200, `${method} /a?b`, method]);
      });
});

describe('headers that a request comes with', () => {
  const without: readonly [string, string][] = [
    ['X_Forwarded_For: 6.6.6.6', 'x_forwarded_for'],
    ['X.Forwarded.For: 6.6.6.6', 'x.forwarded.for'],
    ['X-Forwarded_Proto: https', 'x-forwarded_proto'],
    ['x_real-ip: 6.6.6.6', 'x_real-ip'],
    ['Swarmgate_Hops: 16', 'swarmgate_hops'],
  ];
  const ids: readonly [string, RegExp][] = [
    ['theirs-1', /^theirs-1$/],
    ['x'.repeat(128), /^x{128}$/],
    ['x'.repeat(129), /^id-\d+$/],
    ['two words', /^id-\d+$/],
  ];
  for (const { name, exchange } of everyServer) {
    for (const [field, gone] of without)
      it(`are dropped in another spelling than the proxy's own: ${field} over ${name}`, async () => {
        const { forwarded, status } = await exchange({ fields: [field, 'X_Other: 1'] });
        expect([status, named(forwarded, gone), named(forwarded, 'x_other')]).to.deep.equal([200, [], ['1']]);
      });

    for (const [id, seen] of ids)
      it(`keep or lose X-Request-Id: ${id.slice(0, 20)} (${id.length}) over ${name}`, async () => {
        const { forwarded } = await exchange({ fields: [`X-Request-Id: ${id}`] });
        expect(named(forwarded, 'x-request-id').join()).to.match(seen);
      });

    it(`keep a Via of others, without this proxy in it, over ${name}`, async () => {
      const { forwarded } = await exchange({ fields: ['Via: 1.1 cache'], server: { writesVia: false } });
      expect(named(forwarded, 'via')).to.deep.equal(['1.1 cache']);
    });

    it(`get no Via over ${name}, but with VIA_HEADER`, async () => {
      expect(named((await exchange({ server: { writesVia: false } })).forwarded, 'via')).to.deep.equal([]);
      expect(named((await exchange({})).forwarded, 'via').join()).to.match(/^(1\.1|2\.0) swarmgate-test$/);
    });

    it(`are changed by labels in every spelling, over ${name}`, async () => {
      const step = requestHeaders(
        {
          add: [{ name: 'X-Forwarded-Port', value: '8443' }],
          set: [{ name: 'X-User', value: 'ours' }],
          del: ['X-Secret'],
        },
        {},
      ) as Middleware;
      const fields = ['X_User: theirs', 'x.user: theirs', 'X_SECRET: s', 'x~secret: s', 'X-Forwarded-Port: 1'];
      const { forwarded } = await exchange({ fields, steps: [step], trustedHop: true });
      expect(forwarded?.filter((line) => /user|secret|port/.test(line))).to.have.members([
        'x-forwarded-port: 8443',
        'x-user: ours',
      ]);
    });

    it(`end a loop over ${name}`, async () => {
      const { forwarded } = await exchange({ fields: ['Swarmgate-Hops: 15'] });
      expect(named(forwarded, 'swarmgate-hops')).to.deep.equal(['16']);
      const { status, response, record } = await exchange({ fields: ['Swarmgate-Hops: 16'] });
      expect([status, response('x-swarmgate-reason'), record.reason]).to.deep.equal([508, 'loop', 'loop']);
    });
  }
});

const routers: readonly (readonly [string, MakeServer])[] = [
  ['core', makeCoreServer],
  ['core with HTTP/2', makeHttp2Server],
  ['express', makeExpressServer],
];
for (const [router, make] of routers)
  describe(`services that call through the proxy again (${router})`, () => {
    /** Requests the proxy with all headers that it got, until `depth` services have been called. */
    async function chain(depth: number): Promise<{ readonly status: number; readonly passes: number }> {
      let passes = 0;
      const call = (port: number, headers: IncomingHttpHeaders) =>
        new Promise<number>((resolve, reject) => {
          const sent = request({ host: '127.0.0.1', port, path: '/', headers, agent: false }, (response) => {
            response.resume();
            response.on('end', () => resolve(response.statusCode ?? 0));
          });
          sent.on('error', reject);
          sent.end();
        });
      const service = createServer((incoming, response) => {
        passes += 1;
        const status = passes < depth ? call(rig.port, incoming.headers) : Promise.resolve(200);
        status.then((each) => response.writeHead(each).end()).catch(() => response.writeHead(599).end());
      });
      await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
      const address = service.address();
      if (address === null || typeof address === 'string') throw new Error('no port');
      const rig = await startRig(make, { endpoints: [endpointAt(address.port)] });
      try {
        const status = await call(rig.port, { host: 'shop.example' });
        return { status, passes };
      } finally {
        await rig.stop();
        service.closeAllConnections();
        service.close();
      }
    }

    it('work as a chain of ten that copy all headers', async () => {
      expect(await chain(10)).to.deep.equal({ status: 200, passes: 10 });
    });

    it('end as a loop at the 17th pass', async () => {
      expect(await chain(Number.POSITIVE_INFINITY)).to.deep.equal({ status: 508, passes: 16 });
    });
  });
