import { Agent, type ClientRequest, type IncomingMessage, ServerResponse } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import type { Socket } from 'node:net';
import { guard, hostPort, messageOf, type Running } from '@swarmgate/runtime';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { protectResponse } from './response-headers.ts';

export interface ConsulProxyOptions {
  readonly url: URL;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Responds to a call that Consul did not: `status` is 502 or 504. Nothing was sent to the client yet. */
  readonly onFailure: (call: FailedCall) => void;
  /** How long a connection to Consul may take, in milliseconds. Default 5,000. */
  readonly connectMs?: number;
}

export interface FailedCall {
  readonly request: IncomingMessage;
  readonly client: ServerResponse | Socket;
  readonly status: 502 | 504;
  readonly message: string;
  readonly error: unknown;
}

/** Forwards calls to Consul that were decided about: their `headers` are what Consul gets. */
export interface ConsulProxy extends Running {
  /** @param silenceMs how long Consul may send nothing */
  forward(request: IncomingMessage, response: ServerResponse, silenceMs: number): void;
  /** A WebSocket. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void;
}

/** A WebSocket on which both sides are silent ends after this. */
const tunnelSilenceMs = 600_000;
const upgradeMs = 10_000;

export function createConsulProxy(options: ConsulProxyOptions): ConsulProxy {
  const { url, connectMs = 5_000 } = options;
  const isSecure = url.protocol === 'https:';
  const { ca, cert, key } = options;
  // Calls in flight are limited before they come here, so no call waits for a connection.
  const agent = isSecure ? new SecureAgent({ keepAlive: true, ca, cert, key }) : new Agent({ keepAlive: true });
  const silences = new WeakMap<IncomingMessage, number>();
  const open = new WeakSet<Socket>();

  const fail = (error: unknown, request: IncomingMessage, client: ServerResponse | Socket) => {
    const isBegun = client instanceof ServerResponse ? client.headersSent : open.has(client);
    if (isBegun || client.destroyed) {
      client.destroy();
      return;
    }
    const isLate = error instanceof ConsulTimeout || (error instanceof Error && 'statusCode' in error);
    const where = hostPort(url.hostname, Number(url.port) || (isSecure ? 443 : 80));
    const message = isLate ? `Consul at ${where} did not respond in time` : `Consul at ${where} is unreachable`;
    options.onFailure({ request, client, status: isLate ? 504 : 502, message, error });
  };

  const middleware = createProxyMiddleware<IncomingMessage, ServerResponse>({
    target: url,
    // Consul gets a Host of its own, and TLS the name in its certificate.
    changeOrigin: true,
    agent,
    upgradeTimeout: upgradeMs,
    on: {
      proxyReq: (outgoing, request) => {
        failLate(outgoing, connectMs, isSecure);
        const silenceMs = silences.get(request) ?? 0;
        outgoing.setTimeout(silenceMs, () => {
          outgoing.destroy(new ConsulTimeout(`no byte within ${silenceMs} ms`));
        });
      },
      proxyReqWs: (outgoing, request, socket) => {
        // Nothing of one side may outlive the other.
        socket.once('close', () => outgoing.destroy());
        const owner = { onFault: (error: unknown) => outgoing.destroy(error as Error) };
        outgoing.once(
          'response',
          guard(owner, (response: IncomingMessage) => protectResponse(response.headers, pathOf(request))),
        );
        const begin = guard(owner, ({ headers }: IncomingMessage, consul: Socket) => {
          open.add(socket);
          const { connection, upgrade } = headers;
          protectResponse(headers, pathOf(request));
          Object.assign(headers, { connection, upgrade });
          socket.once('close', () => consul.destroy());
          consul.once('close', () => socket.destroySoon());
          consul.setTimeout(tunnelSilenceMs, () => consul.destroy());
        });
        outgoing.once('upgrade', begin);
      },
      proxyRes: (incoming, request, response) => {
        protectResponse(incoming.headers, pathOf(request));
        // The middleware would send keep-alive to a client that requested to close.
        if (!response.shouldKeepAlive) incoming.headers.connection = 'close';
      },
      error: (error, request, client) => fail(error, request, client),
    },
  });

  return {
    forward: (request, response, silenceMs) => {
      silences.set(request, silenceMs);
      // Failures of Consul come by `on.error`; what it passes on otherwise happened before it called Consul.
      const next = (error?: unknown) => {
        if (error !== undefined && !response.headersSent) fail(error, request, response);
      };
      middleware(request, response, next).catch(next);
    },
    upgrade: (request, socket, head) => middleware.upgrade(request, socket, head),
    stop: async () => agent.destroy(),
  };
}

class ConsulTimeout extends Error {}

/** A socket has no deadline of its own for connecting: a host that drops packets takes minutes. */
function failLate(outgoing: ClientRequest, connectMs: number, isSecure: boolean): void {
  const { socket } = outgoing;
  if (socket?.connecting !== true) return;
  const late = setTimeout(() => outgoing.destroy(new ConsulTimeout(`no connection within ${connectMs} ms`)), connectMs);
  const inTime = () => clearTimeout(late);
  socket.once(isSecure ? 'secureConnect' : 'connect', inTime);
  socket.once('close', inTime);
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '';
}

/** What failed, for the log. */
export function failureOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);
}
