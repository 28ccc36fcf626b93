/** What a message's reader reports. */
export interface MessageEvents {
  /** Returns whether the message has no body, whatever its fields tell. */
  onHead(startLine: string, fields: ReadonlyMap<string, string>): boolean;
  onBody(bytes: Buffer): void;
  onEnd(trailers: string): void;
}

type Part = 'head' | 'length' | 'size' | 'chunk' | 'chunk-end' | 'trailers' | 'close';

/** Reads messages of HTTP/1.1 one after the other, strictly, without code of the proxy's. Throws where one is wrong. */
export class MessageReader {
  readonly #events: MessageEvents;
  readonly #isResponse: boolean;
  #part: Part = 'head';
  #line = '';
  #left = 0;
  #trailers = '';

  constructor(events: MessageEvents, isResponse: boolean) {
    this.#events = events;
    this.#isResponse = isResponse;
  }

  /** Between two messages. */
  get isIdle(): boolean {
    return this.#part === 'head' && this.#line === '';
  }

  read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#part === 'length' || this.#part === 'chunk' || this.#part === 'close') {
        const to = this.#part === 'close' ? bytes.length : Math.min(bytes.length, at + this.#left);
        this.#events.onBody(bytes.subarray(at, to));
        this.#left -= to - at;
        at = to;
        if (this.#left > 0 || this.#part === 'close') continue;
        if (this.#part === 'chunk') this.#part = 'chunk-end';
        else this.#end();
        continue;
      }
      // Lines are collected byte by byte up to their end; a head up to its empty line.
      const end = bytes.indexOf(0x0a, at);
      const to = end === -1 ? bytes.length : end + 1;
      this.#line += bytes.toString('latin1', at, to);
      at = to;
      if (end !== -1) this.#onLine();
    }
  }

  /** The connection has ended in order. Returns whether the message is complete by that, or there is none. */
  readEnd(): boolean {
    if (this.#part !== 'close') return this.isIdle;
    this.#end();
    return true;
  }

  #onLine(): void {
    const line = this.#line;
    if (!line.endsWith('\r\n')) throw new Error(`a line ends without CR: ${line.slice(0, 80)}`);
    if (this.#part === 'head') {
      if (!line.endsWith('\r\n\r\n')) return;
      this.#line = '';
      this.#readHead(line);
      return;
    }
    this.#line = '';
    if (this.#part === 'size') {
      if (!/^[0-9a-f]{1,8}\r\n$/i.test(line)) throw new Error(`no chunk size: ${JSON.stringify(line.slice(0, 80))}`);
      this.#left = Number.parseInt(line, 16);
      this.#part = this.#left === 0 ? 'trailers' : 'chunk';
    } else if (this.#part === 'chunk-end') {
      if (line !== '\r\n') throw new Error(`no end of a chunk: ${JSON.stringify(line.slice(0, 80))}`);
      this.#part = 'size';
    } else if (line === '\r\n') this.#end();
    else this.#trailers += line;
  }

  #readHead(head: string): void {
    const [startLine = '', ...lines] = head.slice(0, -4).split('\r\n');
    const form = this.#isResponse ? /^HTTP\/1\.1 \d{3} / : /^[A-Z]+ \S+ HTTP\/1\.1$/;
    if (!form.test(startLine)) throw new Error(`no start line: ${JSON.stringify(startLine.slice(0, 80))}`);
    const fields = new Map(
      lines.map((each) => [each.slice(0, each.indexOf(':')).toLowerCase(), each.slice(each.indexOf(':') + 1).trim()]),
    );
    const isInterim = startLine.startsWith('HTTP/1.1 1') && !startLine.startsWith('HTTP/1.1 101');
    if (isInterim) return;
    const isEmpty = this.#events.onHead(startLine, fields);
    this.#left = Number(fields.get('content-length') ?? 0);
    if (isEmpty) this.#end();
    else if (fields.has('transfer-encoding')) this.#part = 'size';
    else if (this.#isResponse && !fields.has('content-length')) this.#part = 'close';
    else if (this.#left > 0) this.#part = 'length';
    else this.#end();
  }

  #end(): void {
    const trailers = this.#trailers;
    this.#trailers = '';
    this.#part = 'head';
    this.#events.onEnd(trailers);
  }
}
