import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type ClientHead, fieldLinesOf } from '../../exchange/client-head.ts';
import type { ClientFraming, ResponsePiece, ResponseSink } from '../../exchange/client-side.ts';
import { lastChunk } from '../../http/chunked-reader.ts';
import { reasonPhrases } from '../../http/reason-phrases.ts';
import type { LocalResponse } from '../../model/local-response.ts';
import { LentWriter } from '../../transport/lent-writer.ts';
import { reset } from '../../transport/reset.ts';
import type { CopiesBytes } from '../../transport/response-reader.ts';
import { type TurnWriter, writeAtTurnEnd } from '../../transport/turn-end.ts';
import { type AfterResponse, connectionLine, localResponseText } from './local-response-text.ts';

// A piece up to this size is cheaper copied into the text of its head than written beside it.
const copiedBytes = 16_384;
// Of a longer response, what its client does not take would stay in the system's memory for minutes.
const mostLeftBytes = 16_384;

/** The connection that the responses are written to. */
export interface WrittenConnection {
  readonly draining: boolean;
  /** The request's body has been read to its end. */
  readonly done: boolean;
  /** The socket's buffer is full: from here on the client is expected to read. */
  onClogged(): void;
  /** The response that ends the connection has been written. */
  onLastWritten(): void;
  onFault(error: unknown): void;
}

/** Writes responses of HTTP/1.1 to one connection, one after the other. */
export class ResponseWriter implements ResponseSink, TurnWriter {
  readonly #socket: Socket;
  readonly #connection: WrittenConnection;
  readonly #isPlain: boolean;
  /** Made with the first long piece. */
  #lent: LentWriter | undefined;
  #method = '';
  #http10 = false;
  #clientPersistent = false;
  #rechunk = false;
  #passChunks = false;
  /** Ends of responses that leave at the end of this turn of the event loop. */
  #unsent = '';
  /** The connection ends behind them. */
  #isLast = false;
  #delay: 'unwritten' | 'written-once' | 'off';
  /** The connection stays open after this response. */
  persistent = false;
  sentBytes = 0;
  headBytes = 0;

  constructor(socket: Socket, connection: WrittenConnection) {
    this.#socket = socket;
    this.#connection = connection;
    this.#isPlain = !(socket instanceof TLSSocket);
    // Below TLS it is off already.
    this.#delay = this.#isPlain ? 'unwritten' : 'off';
  }

  /** The next request's response follows. `method` is empty where the request line could not be read. */
  begin(method: string, http10: boolean, clientPersistent: boolean): void {
    this.#method = method;
    this.#http10 = http10;
    this.#clientPersistent = clientPersistent;
    this.#rechunk = false;
    this.#passChunks = false;
    this.persistent = false;
    this.sentBytes = 0;
    this.headBytes = 0;
  }

  /** The connection ends behind the response in progress, whatever the client requested. */
  closeAfter(): void {
    this.#clientPersistent = false;
    this.flush();
  }

  /** The connection ends by a reset, behind the responses before. */
  reset(): void {
    this.flush();
    reset(this.#socket);
  }

  /** Writes what would leave at the end of the turn: to be called before anything else is done with the socket. */
  flush(): void {
    const text = this.#unsent;
    if (text === '') return;
    this.#unsent = '';
    // The next request may have begun: a client that does not read is found out by its next response.
    if (this.#socket.destroyed) return;
    this.#willWrite();
    this.#socket.write(text, 'latin1');
  }

  onTurnEnd(): void {
    try {
      this.flush();
    } finally {
      if (this.#isLast) this.#connection.onLastWritten();
    }
  }

  /** The connection ends behind the response that is complete now. `false`: it has been written; else `onLastWritten` is called once it is. */
  awaitsLast(): boolean {
    this.#isLast = this.#unsent !== '';
    return this.#isLast;
  }

  onFault(error: unknown): void {
    this.#connection.onFault(error);
  }

  /** The last response is the system's, which sends it and then the end where the socket is closed. TLS has an end of its own. */
  get hasLeft(): boolean {
    return this.#isPlain && this.#socket.writableLength === 0 && this.sentBytes <= mostLeftBytes;
  }

  /** TLS copies all of a piece. */
  get copiesBytes(): CopiesBytes {
    return this.#isPlain ? 'rest' : 'all';
  }

  get wantsPayload(): boolean {
    return this.#http10;
  }

  get clogged(): boolean {
    return this.#socket.writableNeedDrain;
  }

  interim(head: ClientHead): void {
    // HTTP/1.0 has no interim responses (RFC 9110, section 15.2).
    if (this.#http10) return;
    const lines = fieldLinesOf(head);
    if (lines !== undefined) this.#writeHead(`${statusLine(head)}${lines}\r\n`);
  }

  head(head: ClientHead, framing: ClientFraming, closes: boolean, piece: ResponsePiece): boolean | undefined {
    const lines = fieldLinesOf(head);
    if (lines === undefined) return undefined;
    this.#passChunks = framing === 'chunked';
    this.#rechunk = framing === 'unsized' && !this.#http10;
    const endsByClose = framing === 'unsized' && this.#http10;
    // Where the endpoint responds before it has the whole body, the rest of it stands before the next request.
    this.persistent =
      this.#clientPersistent && !closes && !endsByClose && this.#connection.done && !this.#connection.draining;
    const chunkedLine = this.#passChunks || this.#rechunk ? 'Transfer-Encoding: chunked\r\n' : '';
    const text = `${statusLine(head)}${lines}${chunkedLine}${connectionLine(this.#after())}\r\n`;
    this.headBytes += text.length;
    return this.#send(text, piece);
  }

  body(piece: ResponsePiece): boolean {
    return this.#send(piece.before, piece);
  }

  respond(response: LocalResponse): void {
    // What stands behind a request that makes no sense need not be a request; behind a CONNECT it is meant for the tunnel.
    const { status } = response;
    const sound = status !== 400 && status !== 417 && status !== 431 && this.#method !== 'CONNECT';
    // A client that is to use another connection must not find this one in its pool (RFC 9110, section 15.5.20).
    const belongsHere = status !== 421;
    this.persistent =
      sound && belongsHere && this.#clientPersistent && this.#connection.done && !this.#connection.draining;
    const text = localResponseText(response, this.#method, this.#after());
    const length = Buffer.byteLength(text);
    this.sentBytes += length;
    this.headBytes += this.#method === 'HEAD' ? length : length - Buffer.byteLength(response.body ?? '');
    const { bytes } = response;
    this.flush();
    this.#willWrite();
    const isWritten = this.#socket.write(text, 'utf8');
    if (bytes === undefined || this.#method === 'HEAD') {
      if (!isWritten) this.#connection.onClogged();
      return;
    }
    this.sentBytes += bytes.length;
    this.#willWrite();
    if (!this.#socket.write(bytes)) this.#connection.onClogged();
  }

  /** `undefined` if the head cannot be sent. */
  switchProtocols(head: ClientHead, protocol: string): true | undefined {
    const lines = fieldLinesOf(head);
    if (lines === undefined) return undefined;
    this.#writeHead(`${statusLine(head)}${lines}Connection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
    // What the tunnel writes does not come through here.
    this.#willWrite();
    return true;
  }

  #send(before: string, piece: ResponsePiece): boolean {
    const { bytes, from, to, complete } = piece;
    const length = to - from;
    let start = before;
    let tail = '';
    if (this.#rechunk && length > 0) {
      start += `${length.toString(16)}\r\n`;
      tail = '\r\n';
    }
    if (complete && (this.#rechunk || this.#passChunks)) tail += lastChunk(piece.trailers);
    if (length > copiedBytes) {
      this.#writePiece(start, bytes, from, to, tail);
      return false;
    }
    const text = length === 0 ? start + tail : start + bytes.toString('latin1', from, to) + tail;
    if (complete) this.#writeLater(text);
    else if (text !== '') this.#writeText(text);
    return false;
  }

  #writeHead(text: string): void {
    this.headBytes += text.length;
    this.#writeText(text);
  }

  /** The end of a response: nothing of it is left that waits for the socket. */
  #writeLater(text: string): void {
    this.sentBytes += text.length;
    if (this.#unsent === '' && text !== '') writeAtTurnEnd(this, 'client');
    this.#unsent += text;
  }

  #writeText(text: string): void {
    this.sentBytes += text.length;
    this.flush();
    this.#willWrite();
    if (!this.#socket.write(text, 'latin1')) this.#connection.onClogged();
  }

  /** Head, piece and tail in one go. */
  #writePiece(before: string, bytes: Buffer, from: number, to: number, after: string): void {
    this.sentBytes += before.length + to - from + after.length;
    this.flush();
    this.#willWrite();
    if (!this.#lentWriter.write(before, bytes, from, to, after)) this.#connection.onClogged();
  }

  get #lentWriter(): LentWriter {
    this.#lent ??= new LentWriter(this.#socket);
    return this.#lent;
  }

  /**
   * Only a small piece behind another one that the client has not acknowledged yet is delayed (Nagle's algorithm). The first write of a
   * connection cannot be, so a connection for each request saves the system call.
   */
  #willWrite(): void {
    if (this.#delay === 'off') return;
    if (this.#delay === 'written-once') this.#socket.setNoDelay(true);
    this.#delay = this.#delay === 'unwritten' ? 'written-once' : 'off';
  }

  #after(): AfterResponse {
    if (!this.persistent) return 'close';
    return this.#http10 ? 'keep-alive' : 'implied';
  }
}

function statusLine({ status, reason }: ClientHead): string {
  return `HTTP/1.1 ${status} ${reason === '' ? (reasonPhrases[status] ?? '') : reason}\r\n`;
}
