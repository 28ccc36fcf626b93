import { request } from 'node:https';
import { connect } from 'node:tls';
import { expect } from 'chai';
import { readCompose } from '../../packages/cli/src/compose/read-compose.ts';
import { testCertificate } from '../../packages/proxy/test/test-certificate.ts';
import { removeService } from '../harness/docker.ts';
import { send } from '../harness/http.ts';
import { until } from '../harness/until.ts';
import { type LabelSet, labelSets } from '../traefik/label-sets.ts';
import { sharedStack } from './shared-stack.ts';

/** Public stacks, their labels unchanged, on a Swarm. The rest of them runs in test/integration/traefik. */
const deployed = ['035', '044', '050', '053', '071', '107', '125'];

describe('stacks with labels of Traefik', () => {
  const ids: string[] = [];
  before(async () => {
    const { pem } = await testCertificate(['label-sets.example']);
    const put = await sharedStack().admin('/v1/docker-flow-proxy/cert?certName=label-sets', {
      method: 'PUT',
      body: pem,
    });
    expect(put.status, put.body).to.equal(200);
  });
  afterEach(async () => {
    await Promise.all(ids.splice(0).map((id) => removeService(sharedStack().docker, id)));
  });

  for (const set of labelSets.filter(({ id }) => deployed.includes(id)))
    it(`${set.id} is served as Traefik serves it`, async () => {
      await deploy(set);
      for (const { url, expected } of set.requests) {
        const { protocol, hostname, pathname, search } = new URL(url);
        const path = `${pathname}${search}`;
        const isSecure = protocol === 'https:';
        if (expected.kind === 'served' || expected.kind === 'served-or-closed') {
          // A route of the same host may take the request until this one's service has been published and listens.
          const by = expected.by.split(':')[0];
          await until(`${url} is served by ${by}`, async () => {
            const { status, body } = await respond(isSecure, hostname, path);
            return status === 200 && JSON.parse(body).message === by;
          });
        } else {
          const { status } = await respond(isSecure, hostname, path);
          expect(status, url).to.not.equal(200);
        }
      }
    });

  /** A server that ends TLS itself and says its name first. */
  const ownTls = `const t=require('node:tls');t.createServer({key:process.env.KEY,cert:process.env.CERT},s=>{s.on('error',()=>0);s.end('passed through')}).listen(8443)`;
  const spoken = `require('node:net').createServer(s=>{s.on('error',()=>0);s.end('ended')}).listen(5432)`;
  const tcp = (name: string, labels: Readonly<Record<string, string>>, port: number) => ({
    'traefik.enable': 'true',
    ...Object.fromEntries(Object.entries(labels).map(([key, value]) => [`traefik.tcp.routers.${name}.${key}`, value])),
    [`traefik.tcp.services.${name}.loadbalancer.server.port`]: String(port),
  });

  it('relay TCP routers at the port that ends TLS for requests, by the name in the ClientHello', async () => {
    const { key, cert } = await testCertificate(['passed.example']);
    const { createService } = sharedStack();
    ids.push(
      await createService('tcp-passed', {
        command: ['/node', '-e', ownTls],
        env: { KEY: key, CERT: cert },
        labels: tcp('passed', { rule: 'HostSNI(`passed.example`)', 'tls.passthrough': 'true' }, 8443),
      }),
      await createService('tcp-ended', {
        command: ['/node', '-e', spoken],
        labels: {
          ...tcp('ended', { rule: 'HostSNI(`ended.example`)', tls: 'true', middlewares: 'anyone' }, 5432),
          'traefik.tcp.middlewares.anyone.ipallowlist.sourcerange': '0.0.0.0/0, ::/0',
        },
      }),
      await createService('tcp-staff', {
        command: ['/node', '-e', spoken],
        labels: {
          ...tcp('staff', { rule: 'HostSNI(`staff.example`)', tls: 'true', middlewares: 'staff@swarm' }, 5432),
          'traefik.tcp.middlewares.staff.ipallowlist.sourcerange': '192.0.2.0/24',
        },
      }),
    );
    await until(
      'TLS is passed through',
      async () => (await dialled('passed.example')) === 'passed through of passed.example',
    );
    await until('TLS is ended', async () => (await dialled('ended.example'))?.startsWith('ended of ') === true);
    await until('its relay is in force', async () => {
      const { body } = await sharedStack().admin('/v1/services');
      return body.includes('staff.example');
    });
    expect(await dialled('staff.example')).to.equal(undefined);
  });

  /** What a server says first, and whose certificate the client sees. `undefined`: the connection was refused. */
  function dialled(servername: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      const { httpsPort } = sharedStack();
      const socket = connect({ host: '127.0.0.1', port: httpsPort, servername, rejectUnauthorized: false });
      let received = '';
      socket.setEncoding('utf8');
      socket.on('data', (part: string) => {
        received += part;
      });
      let shown = '';
      socket.once('secureConnect', () => {
        shown = String(socket.getPeerCertificate().subject?.CN);
      });
      socket.on('error', () => undefined);
      // A server of HTTP waits for a request.
      socket.setTimeout(5_000, () => socket.destroy());
      socket.once('close', () => resolve(received === '' ? undefined : `${received} of ${shown}`));
    });
  }

  async function deploy(set: LabelSet): Promise<void> {
    for (const [service, { labels: given }] of readCompose('stack.yml', set.file, {}).services) {
      const labels = Object.fromEntries(given);
      const port =
        Object.entries(labels).find(([label]) => /^traefik\.http\..*server\.port$/i.test(label))?.[1] ?? '8080';
      const id = await sharedStack().createService(`t${set.id}-${service.replaceAll('_', '-')}`, {
        labels: { ...labels, 'traefik.enable': labels['traefik.enable'] ?? 'true' },
        env: { MESSAGE: service, PORT: port },
      });
      ids.push(id);
    }
  }

  async function respond(isSecure: boolean, host: string, path: string): Promise<{ status: number; body: string }> {
    const { httpUrl, httpsPort } = sharedStack();
    if (!isSecure) return send({ url: `${httpUrl}${path}`, host });
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port: httpsPort,
          path,
          servername: host,
          headers: { host },
          rejectUnauthorized: false,
          agent: false,
        },
        (response) => {
          let body = '';
          response.setEncoding('utf8');
          response.on('data', (part: string) => {
            body += part;
          });
          response.once('error', reject);
          response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
        },
      );
      sent.once('error', reject);
      sent.end();
    });
  }
});
