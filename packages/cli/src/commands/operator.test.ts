import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { runMain } from '../../test/run-main.ts';

/** Returns what a test lays out, and keeps what was requested. Scripted, so that responses can be refused and be foreign. */
class ScriptedProxy {
  readonly requested: {
    readonly method: string;
    readonly url: string;
    readonly token: string | undefined;
    readonly body: string;
  }[] = [];
  response: { status: number; body: unknown } = { status: 200, body: {} };
  #server: Server | undefined;

  async start(): Promise<string> {
    this.#server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      this.requested.push({
        method: request.method ?? '',
        url: request.url ?? '',
        token: request.headers.authorization,
        body,
      });
      response.writeHead(this.response.status, { 'content-type': 'application/json' });
      response.end(typeof this.response.body === 'string' ? this.response.body : JSON.stringify(this.response.body));
    });
    await new Promise<void>((resolve) => this.#server?.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }
}

describe('the operator’s commands', () => {
  const proxy = new ScriptedProxy();
  let url: string;
  before(async () => {
    url = await proxy.start();
  });
  after(() => proxy.stop());
  beforeEach(() => {
    proxy.requested.length = 0;
  });

  const run = (args: readonly string[], env: Record<string, string> = {}) =>
    runMain(args, { SWARMGATE_URL: url, ...env });

  it('reconfigures with Docker Flow’s parameters and the token, and says what the proxy said', async () => {
    proxy.response = { status: 200, body: { Status: 'OK', Message: 'Distributed to all instances' } };
    const result = await run(['reconfigure', 'shop', 'servicePath=/shop', 'com.df.port=8080'], {
      ADMIN_TOKEN: 'secret',
    });
    expect(result).to.deep.equal({ out: 'shop is configured: Distributed to all instances\n', error: '', code: 0 });
    expect(proxy.requested[0]).to.include({
      url: '/v1/docker-flow-proxy/reconfigure?servicePath=%2Fshop&port=8080&serviceName=shop',
      token: 'Bearer secret',
    });
  });

  it('warns of replicas that do not serve a change in time, beside what the proxy said', async () => {
    const Message = 'Distributed to 1 of 2 instances, waiting for two';
    proxy.response = { status: 200, body: { Status: 'OK', Message, serving: ['one'], waitingFor: ['two'] } };
    const result = await run(['reconfigure', 'shop', 'servicePath=/shop', 'port=8080']);
    expect(result).to.deep.equal({
      out: `shop is configured: ${Message}\n`,
      error:
        'warning: kept, but not served yet by two → swarmgate status shows when it is; restart a replica that stays behind\n',
      code: 0,
    });
    const asJson = await run(['reconfigure', 'shop', 'servicePath=/shop', 'port=8080', '--json']);
    expect([asJson.error, JSON.parse(asJson.out)]).to.deep.equal(['', proxy.response.body]);
  });

  it('renews the certificate of a host now, and says where no route has it', async () => {
    proxy.response = { status: 200, body: { Status: 'OK', Message: 'shop.example.com is renewed' } };
    const renewed = await run(['certificates', 'renew', 'shop.example.com'], { ADMIN_TOKEN: 'secret' });
    expect(renewed).to.deep.equal({ out: 'shop.example.com is renewed\n', error: '', code: 0 });
    expect(proxy.requested[0]).to.include({
      method: 'POST',
      url: '/v1/certificates/renew?name=shop.example.com',
      token: 'Bearer secret',
    });
    proxy.response = { status: 404, body: { Status: 'NOK', Message: 'no route has this host' } };
    const unknown = await run(['certificates', 'renew', 'unknown.example.com']);
    expect(unknown.code).to.equal(1);
    expect(unknown.error).to.include('no route has this host');
    for (const args of [['renew'], ['remove', 'shop.example.com']])
      expect((await run(['certificates', ...args])).code).to.equal(2);
  });

  it('shows certificates as the proxy returns them with --json, and ends with 1 where a name failed', async () => {
    const waiting = [{ name: 'a.example.com', services: ['swarm/a'], state: 'failed', failures: 1 }];
    for (const [names, code] of [
      [[], 0],
      [waiting, 1],
    ] as const) {
      const body = { ordering: true, certificates: [], waiting: names };
      proxy.response = { status: 200, body };
      const result = await run(['certificates', '--json']);
      expect(JSON.parse(result.out)).to.deep.equal(body);
      expect(result.code).to.equal(code);
    }
  });

  it('ends with 1 and the problems when the proxy refuses', async () => {
    proxy.response = {
      status: 400,
      body: {
        Status: 'NOK',
        Message: 'port is missing',
        problems: [
          {
            severity: 'error',
            reason: 'port-missing',
            label: 'port',
            message: 'port is missing',
            suggestion: 'add port',
          },
        ],
      },
    };
    const result = await run(['reconfigure', 'shop', 'servicePath=/shop']);
    expect(result.code).to.equal(1);
    expect(result.error).to.equal('refused (400): port is missing\n  error port: port is missing → add port\n');
  });

  it('ends with 2 and names the address when nothing responds', async () => {
    const result = await run(['status'], { SWARMGATE_URL: 'http://127.0.0.1:1' });
    expect(result.code).to.equal(2);
    expect(result.error).to.include('no response from http://127.0.0.1:1').and.include('SWARMGATE_URL');
  });

  it('sends the listener a request to adopt, and has it in its help', async () => {
    proxy.response = { status: 200, body: { Status: 'OK', Message: 'taken over' } };
    const { out, code } = await run(['adopt'], { LISTENER_URL: url, SWARMGATE_URL: 'http://127.0.0.1:1' });
    expect({ out, code }).to.deep.equal({ out: 'adopted: taken over\n', code: 0 });
    expect(proxy.requested[0]).to.include({ method: 'POST', url: '/v1/adopt' });
    const help = (await run(['adopt', '--help'])).out;
    expect(help).to.include('LISTENER_URL').and.not.include('SWARMGATE_URL').and.not.include('of the proxy');
    const away = await run(['adopt'], { LISTENER_URL: 'http://127.0.0.1:1' });
    expect(away.error).to.include('Is the listener running there?').and.include('LISTENER_URL');
  });

  it('ends with 2 when something other than a proxy responds', async () => {
    proxy.response = { status: 200, body: 'hello' };
    const result = await run(['status']);
    expect(result.code).to.equal(2);
    expect(result.error).to.include(`${url} responds with 200 without JSON`).and.include('ADMIN_PORT');
  });

  it('ends with 2 where adopt is sent to a proxy, and names how to find a listener', async () => {
    proxy.response = { status: 404, body: { Status: 'NOK', Message: 'nothing at /v1/adopt' } };
    const result = await run(['adopt', '--url', url]);
    expect(result.code).to.equal(2);
    expect(result.error).to.include('is not a listener').and.include('LISTENER_URL').and.include('LISTENER_PORT');
  });

  it('ends with 2 on an address of another scheme, and with 1 for a history of nothing', async () => {
    expect((await run(['status', '--url', 'ftp://x'])).error).to.include('"ftp://x" is not an address');
    proxy.response = { status: 200, body: { service: 'unknown', owners: [] } };
    expect((await run(['history', 'unknown'])).code).to.equal(1);
  });

  it('does not take a name beside a definition that holds one', async () => {
    const result = await run(['reconfigure', 'shop', '--file', 'shop.json']);
    expect({ code: result.code, requested: proxy.requested.length }).to.deep.equal({ code: 2, requested: 0 });
  });

  it('ends with 2 on an unknown command, a missing argument and a parameter that is none', async () => {
    expect((await run(['rout'])).code).to.equal(2);
    expect((await run(['remove'])).code).to.equal(2);
    expect((await run(['reconfigure'])).code).to.equal(2);
    const result = await run(['reconfigure', 'shop', 'port']);
    expect(result.code).to.equal(2);
    expect(result.error).to.include('"port" is not name=value');
  });

  it('shows every command in its help, each with examples', async () => {
    const help = await run(['--help']);
    expect(help.code).to.equal(0);
    const names = ['proxy', 'listener', 'standalone', 'routes', 'explain', 'check', 'diff', 'history', 'rollback'];
    names.push('problems', 'reconfigure', 'remove', 'reload', 'restore', 'adopt', 'status');
    for (const name of names) {
      expect(help.out, name).to.match(new RegExp(`^ +${name}\\b`, 'm'));
      expect((await run([name, '--help'])).out, name).to.include('Examples:');
    }
  });

  it('lists under problems that the registry is not followed', async () => {
    const registry = { description: 'consul at 127.0.0.1:8500', state: { kind: 'away' } };
    proxy.response = { status: 200, body: { revision: 'r:1', problems: [], keys: [], registry } };
    const result = await run(['problems']);
    expect(result.error).to.include('consul at 127.0.0.1:8500').and.include('away');
    expect(result.code).to.equal(1);
  });

  it('prints problems by service and ends with 1 while there are any', async () => {
    proxy.response = {
      status: 200,
      body: {
        revision: 'r:1',
        problems: [
          {
            owner: 'swarm',
            service: 'shop',
            severity: 'warning',
            reason: 'label-unknown',
            label: 'prot',
            value: '80',
            message: 'unknown',
            suggestion: 'did you mean port?',
          },
        ],
        keys: [],
      },
    };
    const result = await run(['problems']);
    expect(result).to.deep.equal({
      out: 'swarm/shop\n  warning prot=80: unknown → did you mean port?\n',
      error: '',
      code: 1,
    });
    proxy.response = { status: 200, body: { revision: 'r:1', problems: [], keys: [] } };
    expect(await run(['problems'])).to.deep.equal({ out: 'no problems\n', error: '', code: 0 });
  });

  it('forces a reload by POST and hands JSON on as it is', async () => {
    proxy.response = { status: 200, body: { Status: 'OK', Message: '' } };
    const result = await run(['reload', '--force', '--json']);
    expect(JSON.parse(result.out)).to.deep.equal({ Status: 'OK', Message: '' });
    expect(proxy.requested[0]).to.include({ method: 'POST', url: '/v1/reload?force=true' });
  });

  it('repeats headers of an explained request', async () => {
    proxy.response = {
      status: 200,
      body: {
        request: { method: 'GET', host: 'shop.example', path: '/', port: 80, headers: {} },
        winner: null,
        byDefault: false,
        middleware: [],
        answer: { status: 503, reason: 'no-route' },
        candidates: [
          { id: 'swarm/shop/0', service: 'shop', owner: 'swarm', condition: 'path', message: 'path / is not /a' },
        ],
      },
    };
    const result = await run(['explain', 'http://shop.example/', '--header', 'A: 1', '--header', 'B: 2']);
    expect(result.out).to.include('no route matches').and.include('swarm/shop/0  path');
    expect(proxy.requested[0]?.url).to.include('header=A%3A+1&header=B%3A+2');
  });
});
