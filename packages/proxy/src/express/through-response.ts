import type { ClientHead } from '../exchange/client-head.ts';
import type { ClientFraming, ResponsePiece, ResponseSink } from '../exchange/client-side.ts';
import type { HandledExchange } from '../exchange/route-handler.ts';
import { allowedTrailers } from '../http/chunked-reader.ts';
import type { ForwardHooks } from './view-request.ts';
import type { ViewResponse } from './view-response.ts';

/** Gives an endpoint's response to an Express response object, so that middleware which replaces its methods sees it. */
export class ThroughResponse implements ResponseSink, ForwardHooks {
  readonly wantsPayload = true;
  readonly sentBytes = 0;
  readonly headBytes = 0;
  #clogged = false;
  #passes = false;
  readonly #response: ViewResponse;
  readonly #handled: HandledExchange;
  onComplete: (() => void) | undefined;
  runs: <T>(act: () => T) => T = (act) => act();

  constructor(response: ViewResponse, handled: HandledExchange) {
    this.#response = response;
    this.#handled = handled;
    response.on('drain', () => this.#onDrain());
  }

  get clogged(): boolean {
    return this.#passes ? this.#handled.clogged : this.#clogged;
  }

  interim(head: ClientHead): void {
    this.#handled.sendInterim(head);
  }

  head(head: ClientHead, framing: ClientFraming, closes: boolean, piece: ResponsePiece): boolean | undefined {
    const response = this.#response;
    this.#passes = response.isUntouched;
    if (this.#passes) return response.passHead(head, framing, closes, piece);
    return this.runs(() => this.#rebuild(head, closes, piece));
  }

  #rebuild(head: ClientHead, closes: boolean, piece: ResponsePiece): boolean {
    const response = this.#response;
    response.sendDate = false;
    if (response.headersSent) throw new Error('middleware has responded after it passed the request on');
    const flat = head.headers?.flat ?? [];
    const seen = new Set<string>();
    // What the endpoint sent replaces what middleware had set; several fields of one name stay several.
    for (let at = 0; at < flat.length; at += 2) {
      const name = flat[at] as string;
      const value = flat[at + 1] as string;
      const lower = name.toLowerCase();
      if (seen.has(lower) || lower === 'set-cookie') response.appendHeader(name, value);
      else response.setHeader(name, lower === 'vary' ? withVary(response.getHeader(lower), value) : value);
      seen.add(lower);
    }
    response.keepOrderOf(flat);
    if (closes) response.setHeader('Connection', 'close');
    response.writeHead(head.status, head.reason);
    if (piece.to === piece.from && !piece.complete) response.flushHeaders();
    else this.#write(piece);
    return false;
  }

  body(piece: ResponsePiece): boolean {
    return this.#passes ? this.#response.passBody(piece) : this.runs(() => this.#write(piece));
  }

  #write(piece: ResponsePiece): boolean {
    const { bytes, from, to, complete, trailers } = piece;
    // Middleware may keep what it gets; the bytes are the read buffer's.
    const copy = Buffer.from(bytes.subarray(from, to));
    if (!complete) {
      // As `pipe` of Node compares: middleware may replace `write` by a function that returns nothing.
      if (copy.length > 0 && this.#response.write(copy) === false) this.#clogged = true;
      return false;
    }
    const flat = allowedTrailers(trailers);
    const pairs: [string, string][] = [];
    for (let at = 0; at < flat.length; at += 2) pairs.push([flat[at] as string, flat[at + 1] as string]);
    if (pairs.length > 0) this.#response.addTrailers(pairs);
    this.onComplete?.();
    // The last bytes go with the end: middleware that has something to save first (`express-session`) keeps them back.
    if (copy.length > 0) this.#response.end(copy);
    else this.#response.end();
    return false;
  }

  respond(): void {
    throw new Error('local responses go to the client directly');
  }

  #onDrain(): void {
    if (!this.#passes && !this.#clogged) return;
    this.#clogged = false;
    this.#handled.resumeResponse();
  }
}

/** Middleware and endpoint each name what their part of a response depends on. */
function withVary(before: number | string | string[] | undefined, value: string): string {
  if (before === undefined) return value;
  const names = new Map<string, string>();
  for (const name of `${String(before)},${value}`.split(',').map((each) => each.trim()))
    if (name !== '' && !names.has(name.toLowerCase())) names.set(name.toLowerCase(), name);
  return [...names.values()].join(', ');
}
