import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { guard } from '@swarmgate/runtime';
import { nodeHttp } from '@swarmgate/runtime/node-http';
import type { HandledExchange } from '../exchange/route-handler.ts';
import { allowedTrailers } from '../http/chunked-reader.ts';
import { applyHeaderChanges, distinctHeadersOf, headersObjectOf } from './headers-object.ts';
import { ViewSocket } from './view-socket.ts';

/** What middleware has read of a body is kept up to this size, so that the endpoint still gets it. */
export const mostConsumedBytes = 1_048_576;

/** Of an endpoint's response on its way through middleware. */
export interface ForwardHooks {
  /** Called when the endpoint's response is complete: from here on only middleware keeps the client waiting. */
  onComplete: (() => void) | undefined;
  /** Runs what calls methods of the response that middleware may have replaced. */
  runs: <T>(act: () => T) => T;
}

/** The response to a request, as far as the request acts on it. */
export interface RequestPeer {
  /** Middleware waits for a body of which nothing has come. */
  onBodyAwaited(): void;
  /** Returns `false` where no listener took the silence. */
  onTimeout(): boolean;
  readonly headersSent: boolean;
}

/** node:http reads a socket's limits while it makes a request; the substitute of a request is made when middleware reads it. */
const noSocket = new ViewSocket(
  { address: '', port: 0, encrypted: false, authorized: false },
  undefined,
) as unknown as Socket;

/** A request of node:http's shape, made of the exchange: for Express and its middleware. */
export class ViewRequest extends nodeHttp.IncomingMessage {
  static {
    // Accessors, because most requests pass no middleware that reads them; what node:http sets while it makes a request is dropped.
    const dropped = () => undefined;
    const accessors: PropertyDescriptorMap & ThisType<ViewRequest> = {
      headers: {
        get() {
          return this.#headersNow();
        },
        set(headers: IncomingHttpHeaders) {
          this.#headersNow();
          this.#headers = headers;
        },
      },
      headersDistinct: {
        get() {
          this.#distinct ??= distinctHeadersOf(this.rawHeaders);
          return this.#distinct;
        },
        set: dropped,
      },
      rawHeaders: {
        get() {
          this.#rawHeaders ??= this.#fields();
          return this.#rawHeaders;
        },
        set: dropped,
      },
      complete: {
        get() {
          return this.#over ? this.#wasComplete : this.handled.body.done;
        },
        set: dropped,
      },
      socket: {
        get() {
          return this.#socketNow() as unknown as Socket;
        },
        set: dropped,
      },
    };
    for (const [name, accessor] of Object.entries(accessors))
      Object.defineProperty(ViewRequest.prototype, name, { configurable: true, ...accessor });
  }

  readonly handled: HandledExchange;
  /** The plug-in that has the request. */
  runningPlugin: string | undefined;
  /** The plug-in whose error ends the exchange. */
  failedPlugin: string | undefined;
  /** The time of the plug-in that has the request ends. */
  onPluginEnd: (() => void) | undefined;
  /** Called before the request is forwarded. */
  onForward: ((through: ForwardHooks) => void) | undefined;
  peer: RequestPeer | undefined;
  #headers: IncomingHttpHeaders | undefined;
  /** The headers as they were before middleware could change them. */
  #sentHeaders: IncomingHttpHeaders | undefined;
  #rawHeaders: string[] | undefined;
  #distinct: NodeJS.Dict<string[]> | undefined;
  #socket: ViewSocket | undefined;
  readonly #hasBody: boolean;
  #consumed: Buffer[] = [];
  #consumedBytes = 0;
  #pushed = false;
  #handedOver = false;
  #required = false;
  /** Middleware reads the body. */
  #isRead = false;
  /** The exchange has ended: its body is another request's. */
  #over = false;
  #wasComplete = false;
  #closesQuietly = false;

  constructor(handled: HandledExchange) {
    super(noSocket);
    const { exchange, protocol } = handled;
    this.handled = handled;
    this.httpVersion = protocol === 'HTTP/2' ? '2.0' : protocol.slice(5);
    this.httpVersionMajor = protocol === 'HTTP/2' ? 2 : 1;
    this.httpVersionMinor = protocol === 'HTTP/1.1' ? 1 : 0;
    Object.assign(this, { upgrade: false });
    this.#hasBody = !handled.body.done;
    this.method = exchange.method;
    this.url = exchange.path + exchange.query;
  }

  /** Carries header changes of middleware over to the headers that are forwarded. */
  applyChanges(): void {
    if (this.#headers !== undefined && this.#sentHeaders !== undefined)
      applyHeaderChanges(this.handled.exchange.request, this.#sentHeaders, this.#headers);
  }

  /** What middleware has read, as latin1. @throws Error where that is more than is kept */
  takeConsumed(): string {
    if (this.#consumedBytes > mostConsumedBytes)
      throw new Error(
        `middleware read ${this.#consumedBytes} bytes of the body: more than ${mostConsumedBytes} cannot be forwarded after that`,
      );
    const consumed = Buffer.concat(this.#consumed).toString('latin1');
    this.#consumed = [];
    // The rest is the endpoint's: bytes that a stream still takes here would be missing there.
    this.#handedOver = true;
    return consumed;
  }

  /** More of the body has arrived. */
  onClientBytes(): void {
    this.touchSocket();
    if (this.#required) this.#readOn();
    else this.handled.body.pause();
  }

  /** Bytes have been sent or received. */
  touchSocket(): void {
    this.#socket?.touch();
  }

  /**
   * The exchange has ended.
   * @param complete with a whole response
   * @param responds middleware has made the response: it finishes first
   */
  onOver(complete: boolean, responds: boolean): void {
    this.#wasComplete = this.handled.body.done;
    this.#over = true;
    this.#socket?.close(complete ? undefined : connectionReset());
    if (!complete) this.#abort();
    else if (!responds) this.onResponseFinished();
  }

  /** The response is out: what is left of the body is dropped, as node:http does. */
  onResponseFinished(): void {
    if (this.destroyed || this.#pushed) return;
    const drops = !this.#isRead && (!this.#handedOver || this.listenerCount('end') > 0);
    if (drops) {
      this.#pushed = true;
      this.push(null);
      this.read(0);
    } else if (this.#handedOver) {
      // A stream that ends has given all of the body: one that has not is only closed.
      this.#closesQuietly = true;
      this.destroy();
    } else this.#abort();
  }

  override _read(): void {
    this.#isRead = true;
    this.#required = true;
    this.#readOn();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.#closesQuietly || (error === null && this.readableEnded)) {
      callback();
      return;
    }
    if (!this.#over) this.#endSoon(error);
    super._destroy(error, callback);
  }

  #abort(): void {
    if (!this.destroyed) this.destroy(connectionReset());
  }

  /** Middleware has destroyed its request. Where it responds at once, as error handlers do, the response counts. */
  #endSoon(error: Error | null): void {
    this.#socketNow().close();
    const end = guard(this.handled, () => {
      if (this.#over || this.peer?.headersSent === true) return;
      this.handled.onFault(error ?? new Error('middleware destroyed the request'));
    });
    setImmediate(end);
  }

  #fields(): string[] {
    const { request, upgrade } = this.handled.exchange;
    const fields = [...request.flat];
    // Parsers of bodies detect one by a length or a coding; the framing itself ends at the proxy.
    if (this.#hasBody && !request.has('content-length')) fields.push('Transfer-Encoding', 'chunked');
    if (upgrade !== undefined) fields.push('Connection', 'Upgrade', 'Upgrade', upgrade);
    return fields;
  }

  #headersNow(): IncomingHttpHeaders {
    if (this.#headers === undefined) {
      this.#headers = headersObjectOf(this.#fields());
      this.#sentHeaders = { ...this.#headers };
    }
    return this.#headers;
  }

  #socketNow(): ViewSocket {
    if (this.#socket !== undefined) return this.#socket;
    const { handled } = this;
    const { client } = handled.exchange;
    const facts = {
      address: client.address,
      port: client.entryPort,
      encrypted: client.scheme === 'https',
      authorized: client.certificateVerified,
    };
    const socket = new ViewSocket(facts, {
      onSocketTimeout: () => {
        const taken = !this.complete && this.emit('timeout', socket);
        return this.peer?.onTimeout() === true || taken;
      },
      onSocketDestroyed: (error) => handled.onFault(error ?? new Error('middleware destroyed the connection')),
      onFault: (error) => handled.onFault(error),
    });
    if (this.#over) socket.close();
    this.#socket = socket;
    return socket;
  }

  #readOn(): void {
    const { body } = this.handled;
    if (this.#pushed || this.#handedOver || this.#over) return;
    if (!body.done) {
      let arrived = false;
      const refused = body.read((bytes, from, to) => {
        const piece = Buffer.from(bytes.subarray(from, to));
        arrived = true;
        this.#consumedBytes += piece.length;
        if (this.#consumedBytes <= mostConsumedBytes) this.#consumed.push(piece);
        this.#required = this.push(piece);
      });
      if (refused !== undefined) {
        this.handled.refuse(refused);
        return;
      }
      if (!arrived && this.#consumedBytes === 0) this.peer?.onBodyAwaited();
    }
    if (body.done) {
      this.#pushed = true;
      this.#takeTrailers(body.trailers);
      this.push(null);
    } else if (this.#required) body.resume();
    else body.pause();
  }

  #takeTrailers(lines: string): void {
    if (lines === '') return;
    const flat = allowedTrailers(lines);
    // How node:http's own parser gives them to a message that is complete.
    (this as unknown as { _addHeaderLines(flat: string[], length: number): void })._addHeaderLines(flat, flat.length);
  }
}

/** What node:http gives a request whose client has gone. */
function connectionReset(): Error {
  return Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
}
