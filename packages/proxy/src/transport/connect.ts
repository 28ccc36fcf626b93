import type { Socket } from 'node:net';
import type { Endpoint, EndpointPick } from '../model/endpoint.ts';
import { ConnectError } from './connect-error.ts';
import { isLocalShortage } from './local-shortage.ts';
import { openConnection, openedEvent } from './open-connection.ts';

/**
 * Failover connect timeout, in milliseconds: the time to connect while another endpoint is available. The address of a
 * removed task does not respond, and until the listener reports it, requests would wait for the whole
 * TIMEOUT_CONNECT. A second is when the kernel first repeats a lost SYN (RFC 6298, section 2.1).
 */
export const failoverConnectTimeoutMs = 1_000;

type PickedEndpoint = Extract<EndpointPick, { readonly kind: 'endpoint' }>;

/**
 * As `connectTo`, for at most a second while another endpoint is available.
 * @throws ConnectError `connect-timeout`, `endpoint-unreachable`
 */
export function connectToPicked(
  { endpoint, hasOthers }: Omit<PickedEndpoint, 'kind'>,
  connectMs: number,
  signal?: AbortSignal,
): Promise<Socket> {
  return connectTo(endpoint, hasOthers ? Math.min(connectMs, failoverConnectTimeoutMs) : connectMs, signal);
}

/**
 * Opens a connection to an endpoint.
 * @throws ConnectError `connect-timeout`, `endpoint-unreachable`, `out-of-descriptors`
 */
export function connectTo(endpoint: Endpoint, timeoutMs: number, signal?: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { host, port } = endpoint;
    const socket = openConnection(endpoint);
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', onError);
    };
    const fail = (error: ConnectError) => {
      settle();
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const onError = (cause: Error) =>
      fail(
        new ConnectError(
          isLocalShortage(cause) ? 'out-of-descriptors' : 'endpoint-unreachable',
          `no connection to ${host}:${port}: ${cause.message}`,
          { cause },
        ),
      );
    const onAbort = () => fail(new ConnectError('endpoint-unreachable', `connecting to ${host}:${port} was given up`));
    const timer = setTimeout(
      () => fail(new ConnectError('connect-timeout', `no connection to ${host}:${port} within ${timeoutMs} ms`)),
      timeoutMs,
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('error', onError);
    socket.once(openedEvent(endpoint.secure), () => {
      settle();
      resolve(socket);
    });
  });
}
