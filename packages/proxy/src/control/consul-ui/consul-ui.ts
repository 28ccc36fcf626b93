import { type IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { consulUrl, readConsulAccess } from '@swarmgate/registry';
import {
  createRepeatedLines,
  hostPort,
  type Logger,
  type Running,
  type Settings,
  UsageError,
} from '@swarmgate/runtime';
import { ownPorts } from '../../endpoints/own-ports.ts';
import { trustedProxies } from '../../exchange/client-connection.ts';
import { ProxiedConnections } from '../../server/proxy-protocol/proxied-connections.ts';
import { CertificateStore } from '../../server/tls/certificate-store.ts';
import { makeSelfSigned } from '../../server/tls/self-signed.ts';
import { Login } from '../session/login.ts';
import { foreignPage } from '../session/page-origin.ts';
import { createConsulProxy, type FailedCall, failureOf } from './consul-proxy.ts';
import { decideForward, type ForwardDecision, type Refusal, refused } from './forwarded-call.ts';
import { protectingHeaders } from './response-headers.ts';
import { openUiServer, type UiServerLimits } from './ui-server.ts';

export interface ConsulUiOptions {
  readonly settings: Pick<
    Settings,
    | 'adminHost'
    | 'adminToken'
    | 'consulAddress'
    | 'consulSsl'
    | 'consulCaCert'
    | 'consulClientCert'
    | 'consulClientKey'
    | 'consulUiInsecure'
    | 'consulUiToken'
    | 'instanceName'
    | 'proxyProtocolPorts'
    | 'timeoutHttpRequestMs'
    | 'trustedProxies'
  >;
  /** 0 takes a free one. */
  readonly port: number;
  /** Those of the entrypoints. Default: a self-signed one. */
  readonly certificates?: CertificateStore | undefined;
  readonly logger: Logger;
  readonly limits?: Partial<ConsulUiLimits>;
}

export interface ConsulUiLimits extends UiServerLimits {
  /** Calls that Consul is working on, WebSockets included. */
  readonly callsInFlight: number;
  /** How long a connection to Consul may take, in milliseconds. */
  readonly connectMs: number;
  /** How long Consul may stay silent, in milliseconds. Default: 30,000, and 647,500 in a blocking query. */
  readonly silenceMs: number;
}

export interface ConsulUi extends Running {
  readonly host: string;
  readonly port: number;
}

/** Blocking queries of a few users; Consul takes 200 connections of one address by default. */
const mostCallsInFlight = 128;

/**
 * Opens `CONSUL_UI_PORT`: Consul's UI and API for holders of `ADMIN_TOKEN`.
 * @throws UsageError `consul-ui-port-unusable` where the port cannot be opened, `settings-invalid` without a token or Consul
 */
export async function startConsulUi(options: ConsulUiOptions): Promise<ConsulUi> {
  const { settings, logger } = options;
  const { adminToken, consulAddress } = settings;
  if (adminToken === undefined || consulAddress === undefined)
    throw new UsageError('settings-invalid', 'CONSUL_UI_PORT needs ADMIN_TOKEN and CONSUL_HTTP_ADDR');
  const access = await readConsulAccess(consulAddress, settings);
  const rights = { token: settings.consulUiToken, instance: settings.instanceName };
  const login = new Login({ token: adminToken });
  const lines = createRepeatedLines(logger, { everyMs: 10_000 });
  const mostInFlight = options.limits?.callsInFlight ?? mostCallsInFlight;
  let inFlight = 0;

  const consul = createConsulProxy({
    ...access,
    url: consulUrl(access),
    ...(options.limits?.connectMs === undefined ? {} : { connectMs: options.limits.connectMs }),
    onFailure: ({ client, status, message, error }: FailedCall) => {
      lines.write('warn', 'consul', { err: error }, `${message}: a call of its UI failed`);
      const reason = status === 504 ? 'consul-timeout' : 'consul-unreachable';
      respond(client, { status, reason, message: `${message} (${failureOf(error)})` });
    },
  });

  const admit = (request: IncomingMessage, upgrade: boolean): Denial | Exclude<ForwardDecision, Refusal> => {
    const { method = '', url = '', headers, headersDistinct: fields, socket } = request;
    const path = url.split('?', 1)[0] ?? '';
    if ((fields.host ?? []).length > 1) return refused(400, 'host-repeated', 'Host is sent more than once');
    const foreign = foreignPage({ method, path, headers, secure: socket instanceof TLSSocket });
    if (foreign !== undefined) return refused(403, 'foreign-origin', `refused: ${foreign}`);
    const entry = login.decide(socket.remoteAddress, headers.authorization);
    if (entry.kind === 'tries-limited')
      return {
        ...refused(429, 'tries-limited', 'too many failed tries from this address'),
        retryAfterMs: entry.retryAfterMs,
      };
    if (entry.kind !== 'allowed')
      return refused(
        401,
        entry.kind,
        'log in with any user name and ADMIN_TOKEN as the password, or send it as bearer',
      );
    if (inFlight >= mostInFlight)
      return { ...refused(503, 'too-many-calls', 'too many calls are in flight'), retryAfterMs: 1_000 };
    return decideForward({ method, target: url, fields, upgrade }, rights);
  };
  const noteRefusal = ({ socket, method }: IncomingMessage, { reason }: Refusal) => {
    // A browser's first call never has credentials.
    if (reason === 'credentials-needed') return;
    const from = socket.remoteAddress;
    lines.write('warn', `${reason} ${from}`, { reason, from, method }, 'a call of Consul’s UI was refused');
  };
  const count = (client: ServerResponse | Socket) => {
    inFlight += 1;
    client.once('close', () => {
      inFlight -= 1;
    });
  };

  const certificates = settings.consulUiInsecure ? undefined : await withDefault(options.certificates);
  const server = await openUiServer({
    logger,
    host: settings.adminHost,
    port: options.port,
    proxied: new ProxiedConnections({
      isOn: (port) => settings.proxyProtocolPorts.includes(port),
      trusted: trustedProxies(settings.trustedProxies),
      waitMs: settings.timeoutHttpRequestMs,
      logger,
    }),
    ...(certificates === undefined ? {} : { certificates }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    onCall: (request, response) => {
      const decision = admit(request, false);
      if (decision.kind === 'refused') {
        noteRefusal(request, decision);
        respond(response, decision);
        return;
      }
      count(response);
      if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
      if (request.method !== 'GET' && request.method !== 'HEAD')
        response.once('finish', () => noteChange(logger, request, response.statusCode, decision.tokenOf));
      // What http-proxy-middleware forwards: the fields that arrived are gone from here on.
      request.headers = decision.headers;
      consul.forward(request, response, options.limits?.silenceMs ?? decision.silenceMs);
    },
    onUpgrade: (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      const isWebSocket = request.headers.upgrade?.toLowerCase() === 'websocket' && request.method === 'GET';
      const decision = isWebSocket
        ? admit(request, true)
        : refused(400, 'upgrade-unsupported', 'a connection is upgraded to a WebSocket only');
      if (decision.kind === 'refused') {
        noteRefusal(request, decision);
        respond(socket, decision);
        return;
      }
      count(socket);
      request.headers = decision.headers;
      consul.upgrade(request, socket, head);
    },
  });
  const forgetPort = ownPorts.add(server.port);
  const scheme = certificates === undefined ? 'http' : 'https';
  logger.info({ consulUi: `${scheme}://${hostPort(server.host, server.port)}/ui/` }, 'Consul’s UI is open');
  return {
    host: server.host,
    port: server.port,
    stop: async () => {
      await server.stop();
      await consul.stop();
      forgetPort();
      lines.stop();
    },
  };
}

type Denial = Refusal & { readonly retryAfterMs?: number };

/** Clients that name no host with a certificate get the self-signed one, as on entrypoints. */
async function withDefault(certificates: CertificateStore = new CertificateStore()): Promise<CertificateStore> {
  if (certificates.of('self-signed').length === 0)
    certificates.replace('self-signed', [await makeSelfSigned(undefined)]);
  return certificates;
}

function noteChange(
  logger: Logger,
  { method, url = '', socket }: IncomingMessage,
  status: number,
  tokenOf: string,
): void {
  const path = url.split('?', 1)[0] ?? '';
  // Paths of the ACL's own API may hold tokens.
  const shown = path.startsWith('/v1/kv/') ? path : path.split('/').slice(0, 3).join('/');
  logger.info({ method, path: shown, status, tokenOf, from: socket.remoteAddress }, 'changed through Consul’s UI');
}

/** A local response on a socket where the client requested an upgrade. */
function respond(
  client: ServerResponse | Socket,
  { status, reason, message, retryAfterMs }: Omit<Denial, 'kind'>,
): void {
  const body = `${message}\n`;
  const headers = {
    ...protectingHeaders,
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cache-control': 'no-store',
    'content-type': 'text/plain; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'x-swarmgate-reason': reason,
    ...(status === 401 ? { 'www-authenticate': 'Basic realm="Swarmgate", charset="UTF-8"' } : {}),
    ...(status === 405 ? { allow: 'GET, HEAD, PUT, POST, DELETE' } : {}),
    ...(retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) }),
  };
  if (client instanceof ServerResponse) {
    // What is left of a body, or where it ends is unclear, must not be taken for the next request.
    const { headers: fields } = client.req;
    const hasBody = fields['transfer-encoding'] !== undefined || Number(fields['content-length'] ?? 0) > 0;
    client.writeHead(status, hasBody ? { ...headers, connection: 'close' } : headers);
    client.end(body);
    return;
  }
  const lines = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`);
  client.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
}
