import type { Endpoint } from '../model/endpoint.ts';
import type { Route } from '../model/route.ts';
import { connectTo } from './connect.ts';
import { ConnectError } from './connect-error.ts';
import { DeadlineSweep } from './deadline-sweep.ts';
import { EndpointConnection } from './endpoint-connection.ts';

/**
 * A GET of `checkPath` with a response from 200 to 399, or a connection where only `checkTcp` is set. Never rejects.
 * The connection is opened and the response is read as those of requests are. `undefined`: this machine could not open
 * it, so nothing was found out.
 */
export async function checkEndpoint(
  endpoint: Endpoint,
  route: Route,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const { checkPath, serviceDomain } = route.destination;
  if (checkPath === undefined) {
    try {
      const socket = await connectTo(endpoint, timeoutMs, signal);
      socket.destroy();
      return true;
    } catch (error) {
      return error instanceof ConnectError && error.code === 'out-of-descriptors' ? undefined : false;
    }
  }
  const named = serviceDomain?.find((domain) => !domain.startsWith('*')) ?? endpoint.host;
  const head = `GET ${checkPath} HTTP/1.1\r\nHost: ${named}\r\nUser-Agent: swarmgate-check\r\nConnection: close\r\n\r\n`;
  const status = await statusOf(endpoint, head, timeoutMs, signal);
  return status === undefined ? undefined : status >= 200 && status < 400;
}

/** Status of the response to a GET; 0 where none came, `undefined` where the connection could not be opened here. */
function statusOf(
  endpoint: Endpoint,
  head: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  return new Promise((resolve) => {
    const owner = {
      sweep: new DeadlineSweep(),
      onFinished: () => end(0),
      onClosed: () => {},
      onDetached: () => {},
      onOpened: () => {},
      onLocalShortage: () => end(undefined),
      onFault: () => end(0),
    };
    const connection = new EndpointConnection(endpoint, owner, timeoutMs);
    const end = (status: number | undefined) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      connection.abandon();
      resolve(status);
    };
    const onAbort = () => end(0);
    const timer = setTimeout(() => end(0), timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    const request = { method: 'GET', head, chunked: false, firstBytes: '', whole: true, trailers: '', upgrade: '' };
    connection.send(request, timeoutMs, {
      wantsPayload: true,
      onInterim: () => {},
      onHead: ({ status }) => {
        end(status);
        return false;
      },
      onBody: () => false,
      onUpgrade: () => end(0),
      onBroken: () => end(0),
      onWritable: () => {},
      onConnected: () => {},
      onSilence: () => {},
      onFault: () => end(0),
    });
    if (signal.aborted) end(0);
  });
}
