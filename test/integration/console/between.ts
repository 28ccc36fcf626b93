import { once } from 'node:events';
import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Something between a browser and the admin port. */
export interface Between {
  readonly url: string;
  /** Calls by path, as they came. */
  readonly paths: readonly string[];
  /** From now on the body of a stream is kept until its end, as a proxy does that buffers responses. */
  holdStreams(isHeld: boolean): void;
  /** From now on calls go to another port, as where a load balancer chooses another replica; what is open is cut. */
  passTo(port: number): void;
  stop(): Promise<void>;
}

/** Passes calls on to the admin port, which takes this for its own origin. */
export async function startBetween(adminPort: number): Promise<Between> {
  const paths: string[] = [];
  const open = new Set<ServerResponse>();
  let isHeld = false;
  let target = adminPort;
  const server = createServer((incoming, response) => {
    const { method = 'GET', url = '/', headers } = incoming;
    paths.push(url.split('?', 1)[0] ?? '');
    open.add(response);
    const sent = request({ host: '127.0.0.1', port: target, method, path: url, headers }, (reply) => {
      response.writeHead(reply.statusCode ?? 502, reply.headers);
      response.flushHeaders();
      const isStream = reply.headers['content-type'] === 'text/event-stream';
      if (isStream && isHeld) {
        const kept: Buffer[] = [];
        reply.on('data', (part: Buffer) => kept.push(part)).once('end', () => response.end(Buffer.concat(kept)));
      } else reply.pipe(response);
      reply.once('error', () => response.destroy());
    });
    sent.once('error', () => response.destroy());
    response.once('close', () => {
      open.delete(response);
      sent.destroy();
    });
    incoming.pipe(sent);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    paths,
    holdStreams(next) {
      isHeld = next;
      for (const response of open) response.destroy();
    },
    passTo(port) {
      target = port;
      for (const response of open) response.destroy();
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
