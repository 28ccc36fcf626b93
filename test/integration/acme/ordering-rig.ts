import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AutomaticCertificates,
  type AutomaticCertificatesOptions,
  type OrdererEvents,
  orderingRules,
  type ServedView,
  type ServiceNames,
} from '@swarmgate/acme';
import {
  announceReplica,
  createConsulStore,
  type KeyValueStore,
  keyLayout,
  type SecretsKey,
  secretsKeyOf,
} from '@swarmgate/registry';
import { createLogger, readSettings } from '@swarmgate/runtime';

/** A replica with everything of ordering, and a plain HTTP server in place of the proxy. */
export interface OrderingReplica {
  readonly name: string;
  readonly certificates: AutomaticCertificates;
  readonly store: KeyValueStore;
  /** What it serves now. */
  served(): ServedView;
  /** Requests of the validator, as `<host>/<token>`. */
  readonly validated: string[];
  readonly log: string[];
  readonly ended: { readonly issuer: string; readonly result: Parameters<OrdererEvents['orderEnded']>[1] }[];
  /** The names of its routes, by service. */
  want(services: Readonly<Record<string, readonly string[] | Partial<ServiceNames>>>): void;
  stop(): Promise<void>;
}

export interface ReplicaOptions {
  readonly name: string;
  /** Where validators reach it. */
  readonly host: string;
  readonly port: number;
  readonly consul: string;
  readonly instance: string;
  readonly secretsKeys: readonly SecretsKey[];
  /** `ACME_…`. */
  readonly env: Readonly<Record<string, string>>;
  readonly dataDir?: string;
  /** How long this replica takes to put a response in force, in milliseconds. Default 0. */
  readonly serveDelayMs?: number;
  /** Says nothing to the barrier. */
  readonly silent?: boolean;
  readonly ordering?: AutomaticCertificatesOptions['ordering'];
  /** Default Consul at `consul`. */
  readonly store?: KeyValueStore;
}

export function newSecretsKey(): SecretsKey {
  const key = secretsKeyOf(randomBytes(32).toString('base64'));
  if (key === undefined) throw new Error('32 bytes are a key');
  return key;
}

export async function startReplica(options: ReplicaOptions): Promise<OrderingReplica> {
  const { name, consul, instance, secretsKeys } = options;
  const store = options.store ?? createConsulStore({ address: consul });
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'swarmgate-acme-')));
  const lines: string[] = [];
  const logger = createLogger({
    level: 'debug',
    destination: { write: (line: string) => lines.push(line) } as unknown as NodeJS.WritableStream,
  });
  const layout = keyLayout(instance);
  const presence = announceReplica({ store, layout, replica: name, version: '0', logger });
  const status = { registryId: 'r', sequence: 1, routes: 0, rejected: 0 };
  presence.report(status);
  let services: readonly ServiceNames[] = [];
  let view: ServedView = { responses: { http: [], alpn: [] }, certificates: [] };
  const validated: string[] = [];
  const ended: OrderingReplica['ended'] = [];
  const server = createServer((request, response) => {
    const host = (request.headers.host ?? '').replace(/:\d+$/, '');
    const token = request.url?.split('/').at(-1) ?? '';
    validated.push(`${host}/${token}`);
    const body = view.responses.http.find(([ofHost, ofToken]) => ofHost === host && ofToken === token)?.[2];
    response.statusCode = body === undefined ? 404 : 200;
    response.end(body);
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const rules = await orderingRules(readSettings('proxy', { env: options.env, secretsDir: '/nonexistent' }));
  const certificates = await AutomaticCertificates.start({
    rules,
    store,
    instance,
    replica: name,
    version: '0',
    secretsKeys,
    dataDir,
    presence,
    logger,
    events: {
      orderBegun: () => undefined,
      orderEnded: (issuer, result) => ended.push({ issuer, result }),
    },
    services: () => services,
    better: () => [],
    serve: async (next) => {
      if (options.serveDelayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, options.serveDelayMs));
      view = next;
    },
    onServed: (mark) => {
      if (!options.silent) presence.report({ ...status, acme: mark });
    },
    ...(options.ordering === undefined ? {} : { ordering: options.ordering }),
  });
  certificates.order();
  return {
    name,
    certificates,
    store,
    served: () => view,
    validated,
    log: lines,
    ended,
    want: (required) => {
      services = Object.entries(required).map(([service, names]) => ({
        key: `swarm/${service}` as const,
        names: [],
        ...(Array.isArray(names) ? { names } : names),
      }));
      certificates.changed();
    },
    stop: async () => {
      await certificates.stop();
      await presence.stop();
      await store.close();
      server.closeAllConnections();
      await once(server.close(), 'close');
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export { readFile };
