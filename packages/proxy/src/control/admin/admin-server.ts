import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Running, UsageError } from '@swarmgate/runtime';
import { boundPipelining, type CallPatience, callPatience } from '@swarmgate/runtime/rest';
import type { AdminCertificate } from './admin-certificate.ts';
import { createAdminListener } from './admin-listener.ts';

export interface AdminServer extends Running {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** From now on `listener` responds; before, everything is 503. */
  respondWith(listener: RequestListener): void;
}

/** How long calls under way may take at the stop, in milliseconds. */
const stopPatienceMs = 2_000;

/** Fits a certificate with its key in a query, as Docker Flow's clients send it. */
const largestHeadBytes = 64 * 1024;

/** The admin port must not take all descriptors of a process that serves requests, too. */
const mostConnections = 1_000;

const unreadable: Readonly<Record<string, readonly [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    `the head of the call, its query included, is larger than ${largestHeadBytes} bytes: POST /v1/reconfigure takes JSON`,
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the call did not arrive in time'],
};

/** Input that is no HTTP gets a response too, so that its sender notices the mistake. */
function rejectUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, message] = unreadable[error.code ?? ''] ?? [
    '400 Bad Request',
    'the call is not HTTP/1.1, or its address holds characters that have to be escaped (%C3%BC for ü)',
  ];
  const body = JSON.stringify({ Status: 'NOK', Message: message });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/**
 * @param port 0 takes a free one
 * @param certificate absent: without TLS
 * @throws UsageError `admin-port-unusable` where the port cannot be opened
 */
export async function openAdminServer(
  host: string,
  port: number,
  calls: CallPatience = callPatience,
  most = mostConnections,
  certificate?: AdminCertificate,
): Promise<AdminServer> {
  let reply: RequestListener = (_request, response) => {
    response.writeHead(503, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ Status: 'NOK', Message: 'the proxy is starting' }));
  };
  const options = { maxHeaderSize: largestHeadBytes, ...calls };
  const replying = boundPipelining((request, response) => reply(request, response));
  const listener = createAdminListener(options, most, certificate, replying);
  const { listening, calls: server } = listener;
  server.on('clientError', rejectUnreadable);
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: Error) =>
      reject(
        new UsageError(
          'admin-port-unusable',
          `ADMIN_PORT ${port} on ${host} cannot be opened (${error.message}): choose another ADMIN_PORT or ADMIN_HOST`,
          { cause: error },
        ),
      );
    listening.once('error', refuse);
    listening.listen(port, host, () => {
      listening.removeListener('error', refuse);
      resolve();
    });
  });
  const address = listening.address() as AddressInfo;
  let stopping: Promise<void> | undefined;
  return {
    host: address.address,
    port: address.port,
    secure: certificate !== undefined,
    respondWith: (listener) => {
      reply = listener;
    },
    stop: () => {
      stopping ??= new Promise((resolve) => {
        const patience = setTimeout(() => {
          server.closeAllConnections();
          listener.closeOthers();
        }, stopPatienceMs);
        listening.close(() => {
          clearTimeout(patience);
          resolve();
        });
        server.closeIdleConnections();
      });
      return stopping;
    },
  };
}
