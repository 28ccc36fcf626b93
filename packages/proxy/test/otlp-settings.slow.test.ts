import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type OtlpReceiver, startOtlpReceiver } from './otlp-receiver.ts';
import { eventually, type ProxyUnderTest, startProxyUnderTest } from './running-proxy.ts';
import { type TestCertificate, testCertificate } from './test-certificate.ts';
import { listening } from './worker-rig.ts';

describe('traces by the settings of OpenTelemetry, through a proxy', () => {
  let folder: string;
  let backend: Server;
  let sentTraceParent: string | undefined;
  let authority: TestCertificate;
  let receiver: OtlpReceiver;
  let under: ProxyUnderTest | undefined;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'swarmgate-otlp-'));
    backend = await listening(
      createServer((received, response) => {
        sentTraceParent = received.headers.traceparent as string | undefined;
        response.end('fine');
      }),
    );
    authority = await testCertificate(['Authority of the collector'], { isAuthority: true });
  });
  afterEach(async () => {
    await under?.stop();
    under = undefined;
    await receiver.stop();
  });
  after(() => {
    backend.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const inFile = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };

  async function collectWith(secure?: 'TLS' | 'client certificates'): Promise<void> {
    const own = secure === undefined ? undefined : await testCertificate(['127.0.0.1'], { ca: authority });
    receiver = await startOtlpReceiver(own?.pem, secure === 'client certificates' ? authority.cert : undefined);
  }

  /** One request through a proxy with these settings. */
  async function request(env: Readonly<Record<string, string>>): Promise<void> {
    under = await startProxyUnderTest({
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '1', ...env },
    });
    await eventually('the proxy is ready', () => under?.proxy.ready());
    const { port } = backend.address() as AddressInfo;
    const query = `serviceName=shop&servicePath=/&port=${port}&outboundHostname=127.0.0.1`;
    const reply = await under.call('GET', `/v1/docker-flow-proxy/reconfigure?${query}`);
    expect(reply.status, reply.text).to.equal(200);
    sentTraceParent = undefined;
    const response = await fetch(`http://127.0.0.1:${under.proxy.entrypoints()[0]?.port}/a`);
    expect(response.status).to.equal(200);
  }

  const counted = async (outcome: string): Promise<number> => {
    const text = (await under?.call('GET', '/metrics'))?.text ?? '';
    return Number(new RegExp(`^swarmgate_spans_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm').exec(text)?.[1]);
  };
  const taken = async () => {
    await eventually('the spans are taken', async () => (await counted('exported')) === 2);
    expect(receiver.refused).to.deep.equal([]);
    expect(receiver.spans).to.have.length(2);
  };
  const notTaken = async () => {
    await eventually('the spans are given up', async () => (await counted('failed')) === 2);
    expect(receiver.spans).to.deep.equal([]);
  };

  it('go to a collector whose authority is in a file', async () => {
    await collectWith('TLS');
    await request({ OTEL_EXPORTER_OTLP_CERTIFICATE: inFile('authority.pem', authority.cert) });
    await taken();
  });

  it('do not go to it without that file', async () => {
    await collectWith('TLS');
    await request({});
    await notTaken();
  });

  it('take the file of traces before that of all signals', async () => {
    await collectWith('TLS');
    await request({
      OTEL_EXPORTER_OTLP_CERTIFICATE: inFile('other.pem', (await testCertificate(['other'])).cert),
      OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: inFile('authority.pem', authority.cert),
    });
    await taken();
  });

  it('read the file again after a call that failed', async () => {
    await collectWith('TLS');
    const file = inFile('renewed.pem', (await testCertificate(['before'])).cert);
    await request({ OTEL_EXPORTER_OTLP_CERTIFICATE: file });
    await eventually('a call failed', () => receiver.failedHandshakes() > 0);
    inFile('renewed.pem', authority.cert);
    await taken();
  });

  it('go with the proxy’s own certificate where the collector requires one', async () => {
    await collectWith('client certificates');
    const own = await testCertificate(['edge'], { ca: authority });
    await request({
      OTEL_EXPORTER_OTLP_CERTIFICATE: inFile('authority.pem', authority.cert),
      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: inFile('own.pem', own.cert),
      OTEL_EXPORTER_OTLP_CLIENT_KEY: inFile('own-key.pem', own.key),
    });
    await taken();
    expect(receiver.batches.map(({ client }) => client)).to.deep.equal(['edge']);
  });

  it('are refused by it without one', async () => {
    await collectWith('client certificates');
    await request({ OTEL_EXPORTER_OTLP_CERTIFICATE: inFile('authority.pem', authority.cert) });
    await notTaken();
  });

  for (const secure of [undefined, 'TLS'] as const)
    it(`go compressed, with headers of the setting${secure === undefined ? '' : ', by TLS'}`, async () => {
      await collectWith(secure);
      await request({
        OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
        OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20abc,x-tenant=edge',
        OTEL_EXPORTER_OTLP_CERTIFICATE: inFile('authority.pem', authority.cert),
      });
      await taken();
      expect(receiver.batches[0]?.headers).to.include({
        'content-encoding': 'gzip',
        'content-type': 'application/json',
        authorization: 'Bearer abc',
        'x-tenant': 'edge',
      });
    });

  for (const secure of [undefined, 'TLS'] as const)
    it(`go with the credentials of the collector’s URL${secure === undefined ? '' : ', by TLS'}`, async () => {
      await collectWith(secure);
      await request({
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url.replace('://', '://edge:a%40b@'),
        OTEL_EXPORTER_OTLP_CERTIFICATE: inFile('authority.pem', authority.cert),
      });
      await taken();
      const { authorization } = receiver.batches[0]?.headers ?? {};
      expect(authorization).to.equal(`Basic ${Buffer.from('edge:a@b').toString('base64')}`);
    });

  for (const off of [{ OTEL_SDK_DISABLED: 'TRUE' }, { OTEL_TRACES_EXPORTER: 'none' }])
    it(`are off by ${Object.entries(off).join().replace(',', '=')}`, async () => {
      await collectWith();
      await request(off);
      expect(sentTraceParent).to.equal(undefined);
      await under?.stop();
      under = undefined;
      expect(receiver.callsAtMs).to.deep.equal([]);
    });

  for (const [env, name] of [
    [{}, 'swarmgate'],
    [{ OTEL_RESOURCE_ATTRIBUTES: 'service.name=edge,zone=a%20b' }, 'edge'],
    [{ OTEL_RESOURCE_ATTRIBUTES: 'service.name=edge', OTEL_SERVICE_NAME: 'front' }, 'front'],
  ] as const)
    it(`name the proxy ${name} by ${JSON.stringify(env)}`, async () => {
      await collectWith();
      await request(env);
      await taken();
      expect(receiver.resources[0]).to.include({ 'service.name': name });
      if (name === 'edge') expect(receiver.resources[0]).to.include({ zone: 'a b' });
    });

  it('are not kept waiting by a batch that is larger than the queue', async () => {
    await collectWith();
    await request({
      OTEL_BSP_MAX_QUEUE_SIZE: '2',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '512',
      OTEL_BSP_SCHEDULE_DELAY: '600000',
    });
    await taken();
  });
});
