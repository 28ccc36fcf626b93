import type { Socket } from 'node:net';
import { guard } from '@swarmgate/runtime';
import type { Endpoint, EndpointOutcome, EndpointPick } from '../../model/endpoint.ts';
import { connectToPicked } from '../../transport/connect.ts';
import { ConnectError } from '../../transport/connect-error.ts';
import { Deadline } from '../../transport/deadline.ts';
import { reset } from '../../transport/reset.ts';
import { RelayDirection } from './relay-direction.ts';

/** How a connection that was to be relayed ended. */
export type RelayEnd =
  | 'closed'
  | 'idle'
  | 'unreachable'
  | 'no-endpoint'
  | 'client-gone'
  | 'denied'
  /** Its client has as many connections as `inFlightConn` allows. */
  | 'in-flight-limited'
  | 'no-route'
  | 'maintenance';

export interface RelayOptions {
  readonly pick: (except: ReadonlySet<string>) => EndpointPick;
  /** What the endpoint that was picked last gets before the client's bytes. Default: nothing. */
  readonly greeting?: () => Buffer | undefined;
  readonly finished: (endpoint: Endpoint, outcome: EndpointOutcome) => void;
  readonly connectMs: number;
  /** Either side may be silent so long, in milliseconds. */
  readonly idleMs: number;
  readonly signal: AbortSignal;
}

const mostAttempts = 3;

const outcomes: Readonly<Record<ConnectError['code'], EndpointOutcome>> = {
  'connect-timeout': 'timed-out',
  'endpoint-unreachable': 'refused',
  'out-of-descriptors': 'abandoned',
};

/**
 * Relays one connection until both sides have ended, whole bytes and nothing else. Rejects with a fault of the proxy itself
 * only; both sides are closed then.
 */
export async function relay(client: Socket, firstBytes: Buffer, options: RelayOptions): Promise<RelayEnd> {
  const { pick, finished, connectMs, signal } = options;
  const gone = new AbortController();
  const onGone = () => gone.abort();
  client.once('close', onGone);
  const tried = new Set<string>();
  try {
    for (;;) {
      const picked = pick(tried);
      if (picked.kind === 'none') {
        reset(client);
        return tried.size > 0 ? 'unreachable' : 'no-endpoint';
      }
      const { endpoint } = picked;
      tried.add(endpoint.id);
      try {
        const upstream = await connectToPicked(picked, connectMs, AbortSignal.any([gone.signal, signal]));
        const greeting = options.greeting?.();
        const first = greeting === undefined ? firstBytes : Buffer.concat([greeting, firstBytes]);
        const end = await join(client, upstream, first, options);
        finished(endpoint, 'responded');
        return end;
      } catch (error) {
        if (!(error instanceof ConnectError)) {
          finished(endpoint, 'abandoned');
          reset(client);
          throw error;
        }
        if (gone.signal.aborted || signal.aborted) {
          finished(endpoint, 'abandoned');
          client.destroy();
          return 'client-gone';
        }
        finished(endpoint, outcomes[error.code]);
        if (tried.size >= mostAttempts) {
          reset(client);
          return 'unreachable';
        }
      }
    }
  } finally {
    client.off('close', onGone);
  }
}

/** Both directions with backpressure. One side's end is passed on while the other goes on (half-close). */
function join(client: Socket, upstream: Socket, firstBytes: Buffer, options: RelayOptions): Promise<RelayEnd> {
  return new Promise((resolve, reject) => {
    const { idleMs, signal } = options;
    const idle = new Deadline();
    let end: RelayEnd = 'closed';
    let open = 2;
    const destroyBoth = () => {
      client.destroy();
      upstream.destroy();
    };
    const owner = {
      onFault(error: unknown) {
        settle();
        destroyBoth();
        reject(error);
      },
    };
    const onAbort = guard(owner, destroyBoth);
    const settle = () => {
      idle.clear();
      signal.removeEventListener('abort', onAbort);
    };
    const onClose = () => {
      open -= 1;
      if (open > 0) return;
      settle();
      resolve(end);
    };
    for (const [side, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      side.once(
        'close',
        guard(owner, () => {
          // An orderly end has been passed on already.
          if (!side.readableEnded) reset(other);
          onClose();
        }),
      );
      // A reset is passed on as a reset, not as an orderly end.
      side.on(
        'error',
        guard(owner, () => reset(other)),
      );
    }
    idle.set(
      idleMs,
      guard(owner, () => {
        end = 'idle';
        destroyBoth();
      }),
    );
    signal.addEventListener('abort', onAbort, { once: true });
    if (client.destroyed) {
      upstream.destroy();
      open = 1;
    }
    const onBytes = () => idle.extend();
    new RelayDirection(client, upstream, owner, onBytes).start(firstBytes);
    new RelayDirection(upstream, client, owner, onBytes).start(none);
  });
}

const none = Buffer.alloc(0);
