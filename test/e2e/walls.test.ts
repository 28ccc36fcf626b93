import { expect } from 'chai';
import { send } from '../harness/http.ts';
import { sharedStack } from './shared-stack.ts';

describe('what stands between the parts of the stack', () => {
  it('lets the listener read of Docker what it needs, and nothing else', async () => {
    const { ApiVersion } = await sharedStack().docker.version();
    const cases = [
      ['GET', '/services', 200],
      ['GET', `/v${ApiVersion}/tasks`, 200],
      ['GET', '/nodes', 200],
      ['GET', '/info', 200],
      ['POST', '/services/create', 403],
      ['DELETE', '/services/any', 403],
      ['POST', '/containers/create', 403],
      ['GET', '/containers/json', 403],
      ['GET', '/secrets', 403],
      ['GET', '/configs', 403],
      ['GET', '/services/../secrets', 403],
      ['GET', '/services/%2e%2e/secrets', 403],
      ['GET', '/services?status=true', 403],
    ] as const;
    // By node:http, which sends a path as it is: fetch would clean it up before.
    const script = `
      import { request } from 'node:http';
      const cases = ${JSON.stringify(cases)};
      const seen = await Promise.all(cases.map(([method, path]) => new Promise((resolve, reject) => {
        request({ host: 'docker-api', port: 2375, method, path }, (response) => {
          response.resume();
          resolve(response.statusCode);
        }).on('error', reject).end();
      })));
      console.log(JSON.stringify(seen));`;
    const seen = JSON.parse(await sharedStack().runInside('listener', script)) as number[];
    expect(cases.map(([method, path], index) => [method, path, seen[index]])).to.deep.equal(cases);
  });

  it('has a Consul that denies requests without a token', async () => {
    const { url, token } = sharedStack().consul;
    const key = `${url}/v1/kv/${sharedStack().name}/head`;
    const without = await send({ url: key });
    expect(without.status).to.equal(403);
    const withToken = await send({ url: key, headers: { 'x-consul-token': token } });
    expect(withToken.status).to.equal(200);
  });

  it('keeps a proxy from writing what the Swarm publishes, and a listener from what people publish', async () => {
    const cases = [
      ['proxy', 'services/swarm/planted', 403],
      ['proxy', 'services/manual/planted', 200],
      ['listener', 'services/manual/planted', 403],
      ['listener', 'certs/planted', 403],
      ['listener', 'services/swarm/.planted', 200],
    ] as const;
    for (const [part, key, status] of cases) {
      const script = `
        import { readFileSync } from 'node:fs';
        const token = readFileSync('/run/secrets/dfp_consul_http_token', 'utf8');
        const url = 'http://consul:8500/v1/kv/${sharedStack().name}/${key}';
        const response = await fetch(url, { method: 'PUT', body: '{}', headers: { 'x-consul-token': token } });
        if (response.ok) await fetch(url, { method: 'DELETE', headers: { 'x-consul-token': token } });
        console.log(response.status);`;
      expect(await sharedStack().runInside(part, script), `${part} writes ${key}`).to.equal(String(status));
    }
  });

  it('keeps the engine’s socket out of the listener, and other services away from Docker’s API', async () => {
    const noSocket = `
      import { existsSync } from 'node:fs';
      console.log(existsSync('/var/run/docker.sock'), process.getuid());`;
    expect(await sharedStack().runInside('listener', noSocket)).to.equal('false 1000');
    const noName = `
      import { lookup } from 'node:dns/promises';
      console.log(await lookup('docker-api').then(() => 'found', (error) => error.code));`;
    expect(await sharedStack().runInside('proxy', noName)).to.match(/^E/);
  });
});
