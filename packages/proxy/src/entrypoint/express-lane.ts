import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type EntrypointSetting, pause } from '@swarmgate/runtime';
import express from 'express';
import { type ConnectionInfo, connectionInfo } from '../exchange/client-connection.ts';
import { answerBytes, type LocalResponseReason, localResponse } from '../exchange/local-responses.ts';
import { type ExchangeParts, handleExchange } from './exchange-handler.ts';
import type { Lane } from './lane.ts';
import { handleUpgrade, isWebSocketUpgrade } from './upgrade-handler.ts';

export interface ExpressLaneSettings {
  /** A request head may take so long to arrive. */
  readonly headMs: number;
  /** A connection may stay idle so long between requests. */
  readonly keepAliveMs: number;
  /** Of a request head: line and headers. Default 16,384. More is answered 431. */
  readonly maxHeadBytes?: number;
}

// A client with an idle connection may be sending its next request just now: it gets an answer that says `close`. Who has
// been quiet for so long is not about to send.
const drainIdleMs = 1_000;

/** The lane that takes everything: node:http, Express, and a forwarder that streams. */
export class ExpressLane implements Lane {
  readonly name = 'express';
  readonly #server: Server;
  readonly #parts: ExchangeParts;
  readonly #facts = new WeakMap<Socket, ConnectionInfo>();
  readonly #connections = new Set<Socket>();
  readonly #last = new WeakMap<Socket, ServerResponse>();
  readonly #inFlight = new Set<ServerResponse>();
  #draining = false;
  #onEmpty: (() => void) | undefined;

  constructor(parts: ExchangeParts, settings: ExpressLaneSettings) {
    this.#parts = parts;
    const app = express();
    app.disable('x-powered-by');
    app.disable('etag');
    app.disable('query parser');
    app.use((request, response) => this.#serve(request, response));

    this.#server = createServer(
      {
        insecureHTTPParser: false,
        // `readIntake` judges Host, because an answer of node:http would not say who refused and why.
        requireHostHeader: false,
        maxHeaderSize: settings.maxHeadBytes ?? 16_384,
        headersTimeout: settings.headMs,
        // A body may take as long as it keeps coming; silence ends it (`ForwardTimeouts.clientMs`).
        requestTimeout: 0,
        keepAliveTimeout: settings.keepAliveMs,
        connectionsCheckingInterval: Math.max(50, Math.min(1_000, settings.headMs / 2)),
        shouldUpgradeCallback: isWebSocketUpgrade,
      },
      app,
    );
    this.#server.on('checkContinue', app);
    this.#server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
      response.writeHead(417, { 'X-Swarmgate-Reason': 'expectation-failed', 'Content-Length': 0 });
      response.end();
    });
    this.#server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      void handleUpgrade(request, socket, head, this.#factsOf(socket), this.#parts);
    });
    this.#server.on('connect', (_request: IncomingMessage, socket: Socket) => {
      socket.end(answerOnSocket('method-not-forwarded'));
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => this.#refuse(error, socket));
    // The server never listens itself, and node:http starts looking for slow heads and idle connections only then.
    this.#server.emit('listening');
  }

  accept(connection: Socket, entrypoint: EntrypointSetting, firstBytes?: Buffer): void {
    this.#facts.set(connection, connectionInfo(connection, entrypoint, this.#parts.settings.trusted));
    this.#connections.add(connection);
    connection.once('close', () => {
      this.#connections.delete(connection);
      if (this.#connections.size === 0) this.#onEmpty?.();
    });
    if (firstBytes !== undefined && firstBytes.length > 0) connection.unshift(firstBytes);
    this.#server.emit('connection', connection);
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    for (const response of this.#inFlight) response.shouldKeepAlive = false;
    const over = new AbortController();
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      if (this.#connections.size === 0) resolve();
    });
    const idleClosed = pause(Math.min(drainIdleMs, deadlineMs / 2), over.signal).then(() =>
      this.#server.closeIdleConnections(),
    );
    await Promise.race([empty, pause(deadlineMs, over.signal)]);
    over.abort();
    await idleClosed;
    for (const connection of this.#connections) connection.destroy();
    this.#server.close();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    // Node hands over pipelined requests before the one in front is answered. Behind one whose answer closes the
    // connection nothing is served: what looks like a request there may be part of something else.
    if (this.#last.get(request.socket)?.shouldKeepAlive === false) return;
    this.#last.set(request.socket, response);
    // An offer to upgrade that was not taken: its parser reads nothing behind it.
    if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false;
    if (this.#draining) response.shouldKeepAlive = false;
    this.#inFlight.add(response);
    response.once('close', () => this.#inFlight.delete(response));
    void handleExchange(request, response, this.#factsOf(request.socket), this.#parts);
  }

  #factsOf(socket: Socket): ConnectionInfo {
    return this.#facts.get(socket) ?? connectionInfo(socket, { port: 0, secure: false }, this.#parts.settings.trusted);
  }

  #refuse(error: NodeJS.ErrnoException, socket: Socket): void {
    const last = this.#last.get(socket);
    if (last?.shouldKeepAlive === false && last.headersSent) {
      // The last answer of this connection is on its way; what does not parse behind it gets no other.
      socket.destroySoon();
      return;
    }
    const reason = refusalOf(error.code ?? '');
    if (reason === undefined || !socket.writable) {
      socket.destroy();
      return;
    }
    const answer = localResponse(reason);
    this.#parts.plane.observe({
      route: undefined,
      endpoint: undefined,
      method: '',
      host: '',
      path: '',
      status: answer.status,
      reason,
      durationMs: 0,
      upstreamMs: undefined,
      retries: 0,
      sentBytes: 0,
      receivedBytes: socket.bytesRead,
      clientAddress: this.#factsOf(socket).peerAddress,
      lane: 'express',
    });
    socket.end(answerOnSocket(reason));
  }
}

function answerOnSocket(reason: LocalResponseReason): Buffer {
  const answer = localResponse(reason);
  return answerBytes(answer, STATUS_CODES[answer.status] ?? 'Error');
}

/** What a parser error of node:http is to the client. `undefined`: the connection is gone, nobody would read it. */
function refusalOf(code: string): LocalResponseReason | undefined {
  switch (code) {
    case 'ECONNRESET':
    case 'EPIPE':
      return undefined;
    case 'HPE_HEADER_OVERFLOW':
      return 'head-too-large';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'request-timeout';
    case 'HPE_INVALID_CONTENT_LENGTH':
    case 'HPE_UNEXPECTED_CONTENT_LENGTH':
    case 'HPE_INVALID_TRANSFER_ENCODING':
    case 'HPE_INVALID_CHUNK_SIZE':
      return 'ambiguous-framing';
    default:
      return code.startsWith('HPE_') ? 'bad-request' : undefined;
  }
}
