import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Running, UsageError } from '@swarmgate/runtime';

export interface AdminServer extends Running {
  readonly host: string;
  readonly port: number;
  /** From now on `listener` answers; before, everything is 503. */
  answerWith(listener: RequestListener): void;
}

/** How long calls under way may take at the stop, in milliseconds. */
const stopPatienceMs = 2_000;

/** @param port 0 takes a free one. @throws UsageError `admin-port-unusable` where the port cannot be opened. */
export async function openAdminServer(host: string, port: number): Promise<AdminServer> {
  let answer: RequestListener = (_request, response) => {
    response.writeHead(503, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ Status: 'NOK', Message: 'the proxy is starting' }));
  };
  const server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: Error) =>
      reject(
        new UsageError(
          'admin-port-unusable',
          `ADMIN_PORT ${port} on ${host} cannot be opened (${error.message}): choose another ADMIN_PORT or ADMIN_HOST`,
          { cause: error },
        ),
      );
    server.once('error', refuse);
    server.listen(port, host, () => {
      server.removeListener('error', refuse);
      resolve();
    });
  });
  const address = server.address() as AddressInfo;
  let stopping: Promise<void> | undefined;
  return {
    host: address.address,
    port: address.port,
    answerWith: (listener) => {
      answer = listener;
    },
    stop: () => {
      stopping ??= new Promise((resolve) => {
        const patience = setTimeout(() => server.closeAllConnections(), stopPatienceMs);
        server.close(() => {
          clearTimeout(patience);
          resolve();
        });
        server.closeIdleConnections();
      });
      return stopping;
    },
  };
}
