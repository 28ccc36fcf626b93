import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

/** A server in Consul's place, which keeps what reached it. */
export interface ScriptedConsul {
  readonly port: number;
  readonly calls: readonly ReceivedCall[];
  /** Calls whose connection ended before they were served. */
  readonly abandoned: () => number;
  respondWith(respond: (request: IncomingMessage, response: ServerResponse) => void): void;
  stop(): Promise<void>;
}

export interface ReceivedCall {
  readonly method: string;
  readonly target: string;
  /** Names and values as they arrived. */
  readonly raw: readonly string[];
  readonly headers: IncomingMessage['headers'];
  body: string;
}

/** Echoes WebSocket messages at `/v1/echo`, and responds to everything else with `{}`. */
export async function startScriptedConsul(port = 0): Promise<ScriptedConsul> {
  const calls: ReceivedCall[] = [];
  let abandoned = 0;
  let respond = (request: IncomingMessage, response: ServerResponse) => {
    request.once('end', () => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end('{}');
    });
  };
  const note = ({ method = '', url = '', rawHeaders, headers }: IncomingMessage) => {
    const call = { method, target: url, raw: rawHeaders, headers, body: '' };
    calls.push(call);
    return call;
  };
  const server = createServer((request, response) => {
    const call = note(request);
    request.on('data', (bytes: Buffer) => {
      call.body += bytes.toString();
    });
    response.once('close', () => {
      if (!response.writableFinished) abandoned += 1;
    });
    respond(request, response);
  });
  const echo = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    note(request);
    if (request.url !== '/v1/echo') {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nSet-Cookie: a=b\r\n\r\nnope');
      return;
    }
    echo.handleUpgrade(request, socket, head, (client) => {
      client.on('message', (message) => client.send(message.toString()));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    calls,
    abandoned: () => abandoned,
    respondWith: (next) => {
      respond = next;
    },
    stop: async () => {
      for (const client of echo.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
