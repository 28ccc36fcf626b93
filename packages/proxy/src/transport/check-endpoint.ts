import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { Endpoint } from '../model/endpoint.ts';
import type { Route } from '../model/route.ts';
import { connectTo } from './connect.ts';

/** A GET of `checkPath` answered by 200 to 399, or a connection where only `checkTcp` is set. */
export async function checkEndpoint(
  endpoint: Endpoint,
  route: Route,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const { checkPath, serviceDomain } = route.destination;
  if (checkPath === undefined) {
    try {
      const socket = await connectTo(endpoint, timeoutMs, signal);
      socket.destroy();
      return true;
    } catch {
      return false;
    }
  }
  const { host, port, secure } = endpoint;
  const named = serviceDomain?.find((domain) => !domain.startsWith('*')) ?? host;
  const send = secure ? secureRequest : plainRequest;
  return new Promise((resolve) => {
    const request = send({
      host,
      port,
      path: checkPath,
      agent: false,
      rejectUnauthorized: false,
      headers: { Host: named, 'User-Agent': 'swarmgate-check' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      response.destroy();
      resolve(status >= 200 && status < 400);
    });
    request.on('error', () => resolve(false));
    request.end();
  });
}
