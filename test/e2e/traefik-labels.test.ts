import { request } from 'node:https';
import { expect } from 'chai';
import { readCompose } from '../../packages/cli/src/compose/read-compose.ts';
import { testCertificate } from '../../packages/proxy/test/test-certificate.ts';
import { removeService } from '../harness/docker.ts';
import { ask } from '../harness/http.ts';
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
    if (!isSecure) return ask({ url: `${httpUrl}${path}`, host });
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
