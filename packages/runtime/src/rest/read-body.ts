import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { messageOf, SwarmgateError } from '../errors.ts';

/** What is used of a request of Express. */
export interface CallWithBody extends IncomingMessage {
  is(type: string): string | false | null;
  body: unknown;
}

/** As a request handler of Express. */
export type BodyReader = (request: CallWithBody, response: unknown, next: () => void) => Promise<void>;

/** What is wrong with the body of a call. */
class BodyError extends SwarmgateError {
  readonly status: 400 | 413 | 415;

  constructor(status: BodyError['status'], code: string, message: string) {
    super(code, message);
    this.status = status;
  }
}

/**
 * Puts a JSON body into `request.body`; nothing where there is none, or none of JSON. Body parsers of Express read a body that is
 * too large to its end before they refuse it, however long that is.
 * @param largestBytes as sent, and again decompressed
 */
export function readJson(largestBytes: number): BodyReader {
  return reading(largestBytes, (request) => request.is('json') !== false, parsed);
}

/** Puts a body of any type into `request.body` as text. */
export function readText(largestBytes: number): BodyReader {
  return reading(
    largestBytes,
    () => true,
    (text) => text,
  );
}

function reading(
  largestBytes: number,
  isMeant: (request: CallWithBody) => boolean,
  read: (text: string) => unknown,
): BodyReader {
  return async (request, _response, next) => {
    if (hasBody(request) && isMeant(request)) {
      const bytes = await decoded(await wholeBody(request, largestBytes), request, largestBytes);
      if (bytes.length > 0) request.body = read(bytes.toString('utf8').replace(/^\uFEFF/, ''));
    }
    next();
  };
}

export function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function wholeBody(request: CallWithBody, largestBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > largestBytes) return Promise.reject(tooLarge(largestBytes));
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    const take = (piece: Buffer) => {
      bytes += piece.length;
      pieces.push(piece);
      if (bytes <= largestBytes) return;
      // What follows stays unread until the response is sent.
      request.removeListener('data', take).pause();
      reject(tooLarge(largestBytes));
    };
    request.on('data', take);
    request.once('end', () => resolve(Buffer.concat(pieces)));
    const leave = () => reject(new BodyError(400, 'body-cut-off', 'the body ended before its length'));
    request.once('close', leave).once('error', leave);
  });
}

const decoders: Readonly<Record<string, (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>>> = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

async function decoded(bytes: Buffer, request: CallWithBody, largestBytes: number): Promise<Buffer> {
  const coding = request.headers['content-encoding']?.toLowerCase() ?? 'identity';
  if (coding === 'identity' || bytes.length === 0) return bytes;
  const decode = Object.hasOwn(decoders, coding) ? decoders[coding] : undefined;
  if (decode === undefined)
    throw new BodyError(415, 'body-encoded', `the body is encoded as ${JSON.stringify(coding)}: send it as it is`);
  try {
    return await decode(bytes, { maxOutputLength: largestBytes });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE')
      throw tooLarge(largestBytes);
    throw new BodyError(400, 'body-unreadable', `the call cannot be read: ${messageOf(error)}`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BodyError(400, 'body-not-json', `the body is not JSON: ${messageOf(error)}`);
  }
}

function tooLarge(largestBytes: number): BodyError {
  return new BodyError(413, 'body-too-large', `the body is larger than ${largestBytes} bytes`);
}
