import { connect, type Socket } from 'node:net';
import { until } from './until.ts';

export interface ReceivedResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly string[];
  readonly body: string;
  readonly trailers: string;
  /** The body was chunked on the wire. */
  readonly chunked: boolean;
  header(name: string): string | undefined;
}

/** A client that sends exactly the bytes it is given, and reads responses with a parser of its own. */
export class RawClient {
  readonly socket: Socket;
  received = '';
  closed = false;
  /** How the connection ended, where it was not by FIN. */
  error: string | undefined;
  ended = false;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    this.socket.on('data', (bytes) => {
      this.received += bytes.toString('latin1');
    });
    this.socket.on('end', () => {
      this.ended = true;
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message;
    });
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Sends pieces one by one, so that they arrive in segments of their own. */
  async sendInPieces(pieces: readonly string[]): Promise<void> {
    for (const piece of pieces) {
      await new Promise<void>((resolve) => this.socket.write(piece, 'latin1', () => resolve()));
      // No event shows that the peer has read a piece; the kernel joins what is written within one read.
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
  }

  /** The next response, which is then taken out of what was received. */
  async response(method = 'GET'): Promise<ReceivedResponse> {
    let parsed: { readonly response: ReceivedResponse; readonly rest: string } | undefined;
    await until(
      () => {
        parsed = parseResponse(this.received, method, this.over);
        return parsed !== undefined || (this.over && parsed === undefined);
      },
      `a response; so far: ${JSON.stringify(this.received.slice(0, 300))}`,
    );
    if (parsed === undefined) throw new Error(`closed (${this.error ?? 'FIN'}) after ${JSON.stringify(this.received)}`);
    this.received = parsed.rest;
    return parsed.response;
  }

  get over(): boolean {
    return this.ended || this.closed;
  }

  /** Until the other side has ended the connection. */
  async end(): Promise<void> {
    await until(() => this.over, 'the end of the connection');
  }

  destroy(): void {
    this.socket.destroy();
  }
}

function parseResponse(
  text: string,
  method: string,
  over: boolean,
): { readonly response: ReceivedResponse; readonly rest: string } | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const [line = '', ...lines] = text.slice(0, end).split('\r\n');
  const status = Number(line.slice(9, 12));
  const headers = lines.flatMap((each) => [each.slice(0, each.indexOf(':')), each.slice(each.indexOf(':') + 1).trim()]);
  const header = (name: string) => {
    const at = headers.findIndex((each, index) => index % 2 === 0 && each.toLowerCase() === name);
    return at === -1 ? undefined : headers[at + 1];
  };
  const made = (body: string, rest: string, trailers = '') => ({
    response: { status, reason: line.slice(13), headers, body, trailers, chunked: isChunked, header },
    rest,
  });
  const isChunked = header('transfer-encoding')?.toLowerCase() === 'chunked';
  const rest = text.slice(end + 4);
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return made('', rest);
  if (isChunked) return parseChunks(rest, made);
  const length = header('content-length');
  if (length === undefined) return over ? made(rest, '') : undefined;
  if (rest.length < Number(length)) return undefined;
  return made(rest.slice(0, Number(length)), rest.slice(Number(length)));
}

function parseChunks<T>(text: string, made: (body: string, rest: string, trailers: string) => T): T | undefined {
  let at = 0;
  let body = '';
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (size === 0) {
      const end = text.startsWith('\r\n', lineEnd + 2) ? lineEnd + 2 : text.indexOf('\r\n\r\n', lineEnd) + 2;
      if (end === 1 || text.length < end + 2) return undefined;
      return made(body, text.slice(end + 2), text.slice(lineEnd + 2, end));
    }
    if (text.length < lineEnd + 4 + size) return undefined;
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 4 + size;
  }
}
