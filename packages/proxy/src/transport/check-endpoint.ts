import { checkedService, healthCheckPath, healthCheckRequest, isServing } from '../http/grpc/grpc-health.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Route } from '../model/route.ts';
import { connectTo } from './connect.ts';
import { ConnectError } from './connect-error.ts';
import type { OutgoingRequest } from './outgoing-request.ts';
import { openSingleExchange } from './single-exchange.ts';

/**
 * A GET of `checkPath` with a response from 200 to 399, or a connection where only `checkTcp` is set. Of gRPC services
 * `grpc.health.v1.Health/Check` with SERVING. Never rejects. The connection is opened and the response is read as
 * those of requests are. `undefined`: this machine could not open it, so nothing was found out.
 */
export async function checkEndpoint(
  endpoint: Endpoint,
  route: Route,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const { checkPath, protocol } = route.destination;
  if (checkPath === undefined) {
    try {
      const socket = await connectTo(endpoint, timeoutMs, signal);
      socket.destroy();
      return true;
    } catch (error) {
      return error instanceof ConnectError && error.code === 'out-of-descriptors' ? undefined : false;
    }
  }
  if (protocol === 'grpc') {
    const checked = await checkOf(endpoint, grpcCheck(endpoint, route, checkPath), timeoutMs, signal, true);
    return checked && checked.status === 200 && checked.grpcStatus === '0' && isServing(checked.body);
  }
  const checked = await checkOf(endpoint, httpCheck(endpoint, route, checkPath), timeoutMs, signal, false);
  return checked && checked.status >= 200 && checked.status < 400;
}

interface CheckResponse {
  /** 0 where none came. */
  readonly status: number;
  /** Of the head or the trailers. */
  readonly grpcStatus: string | undefined;
  readonly body: Buffer;
}

const mostBodyBytes = 4_096;

function hostOf(endpoint: Endpoint, { destination }: Route): string {
  return destination.serviceDomain?.find((domain) => !domain.startsWith('*')) ?? endpoint.host;
}

function httpCheck(endpoint: Endpoint, route: Route, checkPath: string): OutgoingRequest {
  const head = `GET ${checkPath} HTTP/1.1\r\nHost: ${hostOf(endpoint, route)}\r\nUser-Agent: swarmgate-check\r\nConnection: close\r\n\r\n`;
  return { method: 'GET', head, chunked: false, firstBytes: '', whole: true, trailers: '', upgrade: '' };
}

function grpcCheck(endpoint: Endpoint, route: Route, checkPath: string): OutgoingRequest {
  const head = `POST ${healthCheckPath} HTTP/1.1\r\nHost: ${hostOf(endpoint, route)}\r\nUser-Agent: swarmgate-check\r\nContent-Type: application/grpc\r\n\r\n`;
  const firstBytes = healthCheckRequest(checkedService(checkPath)).toString('latin1');
  return {
    method: 'POST',
    head,
    chunked: true,
    firstBytes,
    whole: true,
    trailers: '',
    upgrade: '',
    wantsTrailers: true,
  };
}

/**
 * `undefined` where the connection could not be opened here.
 * @param whole the response's end is waited for; else its head is enough
 */
function checkOf(
  endpoint: Endpoint,
  request: OutgoingRequest,
  timeoutMs: number,
  signal: AbortSignal,
  whole: boolean,
): Promise<CheckResponse | undefined> {
  return new Promise((resolve) => {
    const { channel, close } = openSingleExchange(endpoint, timeoutMs, () => end());
    const pieces: Buffer[] = [];
    let bodyBytes = 0;
    let status = 0;
    let grpcStatus: string | undefined;
    const end = (isComplete = false) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      const trailers = channel.trailers;
      close();
      if (isComplete) grpcStatus ??= /^grpc-status: *(\d+)/im.exec(trailers)?.[1];
      resolve({ status: isComplete ? status : 0, grpcStatus, body: Buffer.concat(pieces) });
    };
    const onAbort = () => end();
    const timer = setTimeout(() => end(), timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    const take = (bytes: Buffer, from: number, to: number, complete: boolean) => {
      bodyBytes += to - from;
      if (bodyBytes > mostBodyBytes) end();
      else if (to > from) pieces.push(Buffer.from(bytes.subarray(from, to)));
      if (complete) end(true);
      return false;
    };
    channel.send(request, {
      silenceMs: timeoutMs,
      wantsPayload: true,
      onInterim: () => {},
      onHead: (head, bytes, _framing, from, to, complete) => {
        status = head.status;
        grpcStatus = head.header('grpc-status');
        if (!whole) end(true);
        else take(bytes, from, to, complete);
        return false;
      },
      onBody: (bytes, from, to, complete) => (whole ? take(bytes, from, to, complete) : false),
      onUpgrade: () => end(),
      onBroken: ({ kind }) => {
        if (kind === 'local-shortage') resolve(undefined);
        end();
      },
      onWritable: () => {},
      onConnected: () => {},
      onSilence: () => {},
      onFault: () => end(),
    });
    if (signal.aborted) end();
  });
}
