/** A proxy and a listener as processes on this machine, with what tests need of them. */
import { freePorts } from './free-ports.ts';
import { type Response, send, type TestRequest } from './http.ts';
import { type SwarmgateProcess, startSwarmgate } from './swarmgate-process.ts';
import { until } from './until.ts';

type Environment = Readonly<Record<string, string>>;

export interface HostProxy extends SwarmgateProcess {
  readonly httpUrl: string;
  readonly adminUrl: string;
  admin(path: string, options?: Omit<Partial<TestRequest>, 'url'>): Promise<Response>;
  /** `registry.state` of its status: `following`, `away` or `holding`. */
  state(): Promise<string>;
  status(path: string): Promise<number>;
}

export interface HostListener extends SwarmgateProcess {
  readonly url: string;
  status(): Promise<ListenerStatus | undefined>;
  isLeading(): Promise<boolean>;
}

export interface ListenerStatus {
  readonly publishing: { readonly leading: boolean; readonly judgement?: { readonly kind: string } };
}

/** With one worker, on ports of its own; responds when its admin port does. `remove` ends it. */
export async function startHostProxy(env: Environment): Promise<HostProxy> {
  const [http, admin] = (await freePorts(2)) as [number, number];
  const httpUrl = `http://127.0.0.1:${http}`;
  const adminUrl = `http://127.0.0.1:${admin}`;
  const started = startSwarmgate(['proxy'], {
    env: { DEFAULT_PORTS: String(http), ADMIN_PORT: String(admin), WORKERS: '1', LOG_LEVEL: 'error', ...env },
  });
  await responses(`${adminUrl}/healthz`, started);
  const call: HostProxy['admin'] = (path, options = {}) => send({ ...options, url: `${adminUrl}${path}` });
  return Object.assign(started, {
    httpUrl,
    adminUrl,
    admin: call,
    state: async () => {
      const { body } = await call('/v1/status');
      return (JSON.parse(body) as { readonly registry: { readonly state: { readonly kind: string } } }).registry.state
        .kind;
    },
    status: async (path: string) => (await send({ url: `${httpUrl}${path}` })).status,
  });
}

/** On a port of its own; responds when that does. `remove` ends it. */
export async function startHostListener(env: Environment): Promise<HostListener> {
  const [port] = (await freePorts(1)) as [number];
  const url = `http://127.0.0.1:${port}`;
  const started = startSwarmgate(['listener'], { env: { ...env, LISTENER_PORT: String(port) } });
  await responses(`${url}/healthz`, started);
  const status = async () => {
    try {
      const { body } = await send({ url: `${url}/v1/status`, timeoutMs: 2_000 });
      return JSON.parse(body) as ListenerStatus;
    } catch {
      // Killed, paused or not started yet: no status.
      return undefined;
    }
  };
  return Object.assign(started, { url, status, isLeading: async () => (await status())?.publishing.leading ?? false });
}

async function responses(url: string, by: SwarmgateProcess): Promise<void> {
  try {
    await until(`${url} responds with 200`, async () => (await send({ url, timeoutMs: 2_000 })).status === 200);
  } catch (error) {
    throw new Error(`${(error as Error).message}; it wrote:\n${by.log()}`, { cause: error });
  }
}
