import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type RunningConsul, startConsul } from '../../harness/consul.ts';
import { freePorts } from '../../harness/free-ports.ts';
import { type HostProxy, startHostProxy } from '../../harness/host-processes.ts';
import { send, untilResponds } from '../../harness/http.ts';

/** A Consul that denies by default, and a proxy with its UI, with the policies that the stack gives them. */
export interface UiRig {
  readonly consul: RunningConsul;
  readonly proxy: HostProxy;
  /** `https://127.0.0.1:<port>` of `CONSUL_UI_PORT`. */
  readonly uiUrl: string;
  readonly uiPort: number;
  readonly adminToken: string;
  /** Every token that no response, page and log may show. */
  readonly tokens: Readonly<Record<'admin' | 'ui' | 'proxy' | 'management', string>>;
  /** Responds 200 with the path to everything. */
  readonly backendPort: number;
  /** The value of a key below the instance, by the management token. */
  get(key: string): Promise<string | undefined>;
  put(key: string, value: string): Promise<void>;
  /** Every key of documents and certificates with the index of its last write. */
  writes(): Promise<ReadonlyMap<string, number>>;
  /** Publishes a service of owner `manual` by the proxy's REST. */
  publish(serviceName: string, parameters: Readonly<Record<string, string>>): Promise<void>;
  /** All that the proxy has logged, at level `debug`. */
  log(): string;
  remove(): Promise<void>;
}

const policy = (role: 'proxy' | 'ui') =>
  readFileSync(new URL(`../../../docker/consul/acl/${role}-policy.hcl`, import.meta.url), 'utf8');

export async function startUiRig(): Promise<UiRig> {
  const consul = await startConsul({ acl: true });
  const backend = createServer((request, response) => response.end(request.url));
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  const { port: backendPort } = backend.address() as AddressInfo;
  let proxy: HostProxy | undefined;
  try {
    const management = consul.managementToken ?? '';
    const [ui, proxyToken] = await Promise.all([consul.createToken(policy('ui')), consul.createToken(policy('proxy'))]);
    const [uiPort] = (await freePorts(1)) as [number];
    const adminToken = randomUUID();
    proxy = await startHostProxy({
      CONSUL_HTTP_ADDR: consul.address,
      CONSUL_HTTP_TOKEN: proxyToken,
      ADMIN_TOKEN: adminToken,
      CONSUL_UI_PORT: String(uiPort),
      CONSUL_UI_TOKEN: ui,
      LOG_LEVEL: 'debug',
    });
    return rig({ consul, proxy, backend, backendPort, uiPort, adminToken, ui, proxyToken, management });
  } catch (error) {
    await proxy?.remove();
    await consul.remove();
    backend.close();
    throw error;
  }
}

interface Parts {
  readonly consul: RunningConsul;
  readonly proxy: HostProxy;
  readonly backend: Server;
  readonly backendPort: number;
  readonly uiPort: number;
  readonly adminToken: string;
  readonly ui: string;
  readonly proxyToken: string;
  readonly management: string;
}

function rig(parts: Parts): UiRig {
  const { consul, proxy, backend, backendPort, uiPort, adminToken, ui, proxyToken, management } = parts;
  const kv = (key: string, query = '') => `${consul.url}/v1/kv/swarmgate/${key}${query}`;
  const headers = { 'x-consul-token': management };
  const responded = async (what: Parameters<typeof send>[0]) => {
    const reply = await send(what);
    if (![200, 404].includes(reply.status)) throw new Error(`${what.url}: ${reply.status} ${reply.body}`);
    return reply;
  };
  return {
    consul,
    proxy,
    uiUrl: `https://127.0.0.1:${uiPort}`,
    uiPort,
    adminToken,
    tokens: { admin: adminToken, ui, proxy: proxyToken, management },
    backendPort,
    get: async (key) => {
      const { status, body } = await responded({ url: kv(key, '?raw'), headers });
      return status === 200 ? body : undefined;
    },
    put: async (key, value) => {
      await responded({ url: kv(key), headers, method: 'PUT', body: value });
    },
    writes: async () => {
      const { body } = await responded({ url: kv('', '?recurse'), headers });
      const items = JSON.parse(body) as { readonly Key: string; readonly ModifyIndex: number }[];
      // What a proxy writes by itself: its presence, numbers, and problems of documents.
      const own = /^swarmgate\/(?!(?:head|services|endpoints|history|certs|acme)\b)/;
      return new Map(items.filter(({ Key }) => !own.test(Key)).map(({ Key, ModifyIndex }) => [Key, ModifyIndex]));
    },
    publish: async (serviceName, parameters) => {
      const query = new URLSearchParams({ serviceName, ...parameters });
      const { status, body } = await proxy.admin(`/v1/docker-flow-proxy/reconfigure?${query}`, {
        headers: { authorization: `Bearer ${adminToken}` },
      });
      if (status !== 200) throw new Error(`reconfigure: ${status} ${body}`);
      const [path] = (parameters.servicePath ?? '').split(',');
      if (parameters.port === String(backendPort)) await untilResponds({ url: `${proxy.httpUrl}${path}` }, 200);
    },
    log: () => proxy.log(),
    remove: async () => {
      await proxy.remove();
      await consul.remove();
      backend.closeAllConnections();
      backend.close();
    },
  };
}
