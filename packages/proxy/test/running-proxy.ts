import { mkdtemp, rm } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRegistry, openEmbeddedStore, type Registry } from '@swarmgate/registry';
import { type Logger, readSettings, silentLogger } from '@swarmgate/runtime';
import type { ServiceNumbers } from '../src/control/numbers/service-numbers.ts';
import { prepareInProcessServer } from '../src/control/serving/in-process-server.ts';
import type { Server } from '../src/control/serving/server.ts';
import { type RunningProxy, startProxy } from '../src/proxy.ts';

export interface AdminResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as a JSON object; empty where it is none. */
  readonly body: Record<string, unknown>;
}

/** A whole proxy over a registry, on free ports of loopback. */
export interface ProxyUnderTest {
  readonly proxy: RunningProxy;
  readonly registry: Registry;
  readonly dataDir: string;
  readonly signal: AbortSignal;
  call(
    method: string,
    path: string,
    more?: { headers?: Record<string, string>; body?: string },
  ): Promise<AdminResponse>;
  stop(): Promise<void>;
}

export interface ProxyUnderTestOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Default: an embedded one in the proxy's own DATA_DIR. The caller closes one that it gives. */
  readonly registry?: Registry;
  readonly dataDir?: string;
  readonly replica?: string;
  readonly logger?: Logger;
  readonly firstWordWaitMs?: number;
  /** Default: one without TLS. */
  readonly entrypoints?: readonly { readonly port: number; readonly secure: boolean }[];
  /** Restricting features of another version. Default: those of this one. */
  readonly features?: ReadonlySet<string>;
  readonly numbers?: ServiceNumbers;
  /** Notified of the server as soon as its ports are taken. */
  readonly onServer?: (server: Server) => void;
}

export async function startProxyUnderTest(options: ProxyUnderTestOptions = {}): Promise<ProxyUnderTest> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'swarmgate-proxy-')));
  const env = { DATA_DIR: dataDir, WORKERS: '0', DRAIN_TIMEOUT_MS: '1000', ...options.env };
  const settings = readSettings('proxy', { env });
  const registry = options.registry ?? (await embeddedRegistry(dataDir));
  const ending = new AbortController();
  const proxy = await startProxy({
    settings,
    registry,
    logger: options.logger ?? silentLogger,
    env,
    signal: ending.signal,
    adminPort: 0,
    ...(options.firstWordWaitMs === undefined ? {} : { firstWordWaitMs: options.firstWordWaitMs }),
    ...(options.replica === undefined ? {} : { replica: options.replica }),
    prepareServer: async (given) => {
      const entrypoints = options.entrypoints ?? [{ port: 0, secure: false }];
      const server = await prepareInProcessServer({
        ...given,
        entrypoints,
        host: '127.0.0.1',
        ...(options.features === undefined ? {} : { features: options.features }),
        ...(options.numbers === undefined ? {} : { numbers: options.numbers }),
      });
      options.onServer?.(server);
      return server;
    },
  });
  return {
    proxy,
    registry,
    dataDir,
    signal: ending.signal,
    call: (method, path, more) => callAdmin(proxy.admin.port, method, path, more),
    stop: async () => {
      await proxy.stop();
      ending.abort();
      if (options.registry === undefined) await registry.store.close();
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export async function embeddedRegistry(dataDir: string): Promise<Registry> {
  const registry = createRegistry({ store: openEmbeddedStore({ dataDir }), instance: 'swarmgate' });
  await registry.publish([], { by: 'test', signal: AbortSignal.timeout(20_000) });
  return registry;
}

// node:http instead of fetch: it lets a test send any Host and Origin.
function callAdmin(
  port: number,
  method: string,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: string } = {},
): Promise<AdminResponse> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.once('error', reject);
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: parse(text) }),
      );
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

/** So many clients send one request after the other for so long. */
export async function loadFor(
  under: ProxyUnderTest,
  clients: number,
  forMs: number,
): Promise<{ readonly requests: number; readonly failed: number }> {
  let [requests, failed] = [0, 0];
  const endMs = performance.now() + forMs;
  const client = async () => {
    while (performance.now() < endMs) {
      const { status } = await fetch(`http://127.0.0.1:${under.proxy.entrypoints()[0]?.port}/`);
      requests += 1;
      if (status !== 200) failed += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { requests, failed };
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

export { until as eventually } from '@swarmgate/runtime/testing';
