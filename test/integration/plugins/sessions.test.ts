import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { freePorts } from '../../harness/free-ports.ts';
import { untilResponds } from '../../harness/http.ts';
import { type RunningRedis, startRedis } from '../../harness/redis.ts';
import { type SwarmgateProcess, startSwarmgate } from '../../harness/swarmgate-process.ts';

const examples = fileURLToPath(new URL('../../../examples/plugins', import.meta.url));

/** `express-session` with its store in a real Redis, as examples/plugins/session.mjs has it. */
describe('sessions of a plug-in', function () {
  this.timeout(120_000);
  let folder: string;
  let redis: RunningRedis;
  let endpoint: Server;
  let replicas: readonly { readonly proxy: SwarmgateProcess; readonly url: string }[];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'swarmgate-sessions-'));
    const secretFile = join(folder, 'secret');
    writeFileSync(secretFile, 'a secret of the test\n', { mode: 0o600 });
    redis = await startRedis();
    // A response on a connection of its own: each request may be accepted by either worker.
    endpoint = createServer((request, response) => response.end(String(request.headers['x-session-requests'])));
    await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
    const { port } = endpoint.address() as AddressInfo;
    const plugins = encodeURIComponent(`session(redis="${redis.url}",secretFile="${secretFile}",secure=false)`);
    const service = `serviceName=shop&servicePath=/&port=${port}&outboundHostname=127.0.0.1&plugins=${plugins}`;
    replicas = await Promise.all(
      ['one', 'other'].map(async () => {
        const [admin = 0, entry = 0] = await freePorts(2);
        const proxy = startSwarmgate(['standalone'], {
          env: {
            ADMIN_PORT: String(admin),
            DEFAULT_PORTS: String(entry),
            DOCKER_HOST: `unix://${join(folder, 'no-docker.sock')}`,
            PLUGINS_DIR: examples,
            WORKERS: '2',
          },
        });
        await untilResponds({ url: `http://127.0.0.1:${admin}/readyz` }, 200, { withinMs: 60_000 });
        await untilResponds({ url: `http://127.0.0.1:${admin}/v1/docker-flow-proxy/reconfigure?${service}` }, 200);
        await untilResponds({ url: `http://127.0.0.1:${entry}/` }, 200);
        return { proxy, url: `http://127.0.0.1:${entry}/` };
      }),
    );
  });
  after(async () => {
    for (const each of replicas ?? []) await each.proxy.remove();
    endpoint?.close();
    await redis?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const send = async (url: string, cookie?: string) => {
    const headers = { connection: 'close', ...(cookie === undefined ? {} : { cookie }) };
    const response = await fetch(url, { headers });
    return { status: response.status, text: await response.text(), cookie: response.headers.get('set-cookie') };
  };

  it('are valid at both replicas and all of their workers', async () => {
    const [one, other] = replicas.map(({ url }) => url) as [string, string];
    const first = await send(one);
    expect(first).to.include({ status: 200, text: '1' });
    expect(first.cookie).to.match(/^connect\.sid=.*HttpOnly/);
    const cookie = String(first.cookie).split(';')[0];
    for (let request = 2; request <= 21; request++) {
      const { status, text } = await send(request % 2 === 0 ? other : one, cookie);
      expect([status, text]).to.deep.equal([200, String(request)]);
    }
  });

  it('are new for a client without the cookie, and for one whose signature is wrong', async () => {
    const [one] = replicas.map(({ url }) => url) as [string];
    const { cookie } = await send(one);
    expect((await send(one)).text).to.equal('1');
    const forged = String(cookie)
      .split(';')[0]
      ?.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    expect((await send(one, forged)).text).to.equal('1');
  });

  it('cost a request 500 plugin-failed where Redis is away, and work again when it is back', async () => {
    const [one] = replicas.map(({ url }) => url) as [string];
    const cookie = String((await send(one)).cookie).split(';')[0];
    await redis.kill();
    const away = await fetch(one, { headers: { connection: 'close', cookie: String(cookie) } });
    expect([away.status, away.headers.get('x-swarmgate-reason')]).to.deep.equal([500, 'plugin-failed']);
    redis.start();
    await untilResponds({ url: one }, 200, { withinMs: 30_000 });
  });
});
