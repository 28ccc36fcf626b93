/** gRPC-Web (gRPC, doc/PROTOCOL-WEB.md): gRPC for clients that read no trailers and perhaps no bytes. */

/** Messages as bytes, or as base64. */
export type GrpcWebForm = 'binary' | 'text';

const webType = /^application\/grpc-web(-text)?(\+[\w.-]+)?[ \t]*(?:;|$)/i;

/** The form of a request or response by its `content-type`. `undefined`: it is not one of gRPC-Web. */
export function grpcWebForm(contentType: string | undefined): GrpcWebForm | undefined {
  const match = webType.exec(contentType ?? '');
  if (match === null) return undefined;
  return match[1] === undefined ? 'binary' : 'text';
}

/** `application/grpc-web-text+proto` as the server of gRPC has it: `application/grpc+proto`. */
export function grpcTypeOf(webContentType: string): string {
  return `application/grpc${webType.exec(webContentType)?.[2] ?? ''}`;
}

/** `application/grpc+proto` as the client of gRPC-Web has it. */
export function grpcWebTypeOf(contentType: string, form: GrpcWebForm): string {
  const format = /^application\/grpc(\+[\w.-]+)?/i.exec(contentType)?.[1] ?? '+proto';
  return `application/grpc-web${form === 'text' ? '-text' : ''}${format}`;
}

const trailerFlag = 0x80;

/** The last frame of a response, which holds the trailers as lines. @param flat name, value, name, value */
export function trailerFrame(flat: readonly string[]): Buffer {
  let lines = '';
  for (let at = 0; at < flat.length; at += 2) lines += `${(flat[at] as string).toLowerCase()}: ${flat[at + 1]}\r\n`;
  const frame = Buffer.alloc(5 + lines.length);
  frame[0] = trailerFlag;
  frame.writeUInt32BE(lines.length, 1);
  frame.write(lines, 5, 'latin1');
  return frame;
}

/** Decodes base64 that comes in pieces, of which any may end in padding: clients encode message by message. */
export class Base64Pieces {
  #rest = '';

  /** `undefined`: not base64. */
  decode(text: string): Buffer | undefined {
    const all = this.#rest + text;
    const whole = all.length - (all.length % 4);
    this.#rest = all.slice(whole);
    const groups = all.slice(0, whole);
    if (!/^(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)*$/.test(groups)) return undefined;
    if (!groups.includes('=')) return Buffer.from(groups, 'base64');
    const pieces: Buffer[] = [];
    let from = 0;
    for (let at = 0; at < groups.length; at += 4) {
      if (groups[at + 3] !== '=') continue;
      pieces.push(Buffer.from(groups.slice(from, at + 4), 'base64'));
      from = at + 4;
    }
    pieces.push(Buffer.from(groups.slice(from), 'base64'));
    return Buffer.concat(pieces);
  }

  /** Nothing is left over. */
  get isWhole(): boolean {
    return this.#rest === '';
  }
}
