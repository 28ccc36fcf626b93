import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSettings, silentLogger } from '@swarmgate/runtime';
import { Registry as Metrics } from 'prom-client';
import { startInProcessServer } from '../src/control/serving/in-process-server.ts';
import type { Server } from '../src/control/serving/server.ts';
import { readCertificate } from '../src/server/tls/certificate.ts';
import { type TestCertificate, testCertificate } from './test-certificate.ts';
import { until } from './until.ts';

/** A server whose only entrypoint ends TLS for `shop.example` and takes certificates of clients by `authority`. */
export async function startVerifyingServer(
  directory: string,
  authority: TestCertificate,
  router: 'core' | 'express',
): Promise<Server> {
  const caFile = join(directory, 'ca.pem');
  await writeFile(caFile, authority.cert);
  const server = await startInProcessServer({
    settings: readSettings('standalone', {
      env: { CA_FILE: caFile, DATA_DIR: directory, HTTP_ROUTER: router },
      secretsDir: '/nowhere',
    }),
    logger: silentLogger,
    metrics: new Metrics(),
    env: {},
    entrypoints: [{ port: 0, secure: true }],
    host: '127.0.0.1',
  });
  const read = readCertificate('shop', (await testCertificate(['shop.example'])).pem, authority.cert);
  if (!read.ok) throw new Error(read.reason);
  server.certificates?.().replace('registry', [read.certificate]);
  await until(() => server.entrypoints()[0]?.state === 'open', 'the port');
  return server;
}
