import type { Transform } from 'node:stream';
import { constants, createBrotliCompress, createDeflate, createGzip } from 'node:zlib';
import type { CompressionAlgo } from '@swarmgate/registry';
import type { Exchange, ResponseHead } from '../model/exchange.ts';
import type { HeaderList } from '../model/header-list.ts';
import type { Middleware } from './middleware.ts';

export interface Compression {
  /** In order of preference, where the client has none. */
  readonly algorithms: readonly CompressionAlgo[];
  /** Media types in lower case, `text/*` for all of a kind. */
  readonly types: readonly string[];
}

/** Types that are compressed without `compressionType`. */
export const usualTypes: readonly string[] = [
  'text/*',
  'application/javascript',
  'application/json',
  'application/manifest+json',
  'application/xml',
  'application/xhtml+xml',
  'image/svg+xml',
];

// Below this the head of the compressed form outweighs what it saves.
const leastBytes = 256;

/** `compressionAlgo`, `compressionType`. */
export function compression(options: Compression): Middleware {
  return { name: 'compressionAlgo', transform: (exchange, head) => compress(options, exchange, head) };
}

/**
 * A stream to pass the body through, with the head changed to match; or nothing, where the answer must stay as it is:
 * no body (HEAD, 1xx, 204, 304), a range, `no-transform` (RFC 9110, section 7.7), compressed already, too small, not a
 * type that is asked for, or a client that does not want it. Every piece is flushed, so events pass at once.
 */
export function compress(compression: Compression, exchange: Exchange, head: ResponseHead): Transform | undefined {
  const { headers } = head;
  if (!mayCompress(exchange, head) || !matchesType(headers.get('content-type'), compression.types)) return undefined;
  // Set in any case: a cache must not give one client's encoding to another client.
  vary(headers);
  const algorithm = negotiate(exchange.request.all('accept-encoding'), compression.algorithms);
  if (algorithm === undefined) return undefined;
  headers.set('Content-Encoding', algorithm);
  for (const name of ['content-length', 'accept-ranges', 'content-md5', 'digest', 'content-digest'])
    headers.delete(name);
  const etag = headers.get('etag');
  // The same resource in other bytes: a strong validator would lie (RFC 9110, section 8.8.3).
  if (etag?.startsWith('"')) headers.set('ETag', `W/${etag}`);
  return streamOf(algorithm);
}

function mayCompress({ method }: Exchange, { status, headers }: ResponseHead): boolean {
  if (method === 'HEAD' || status < 200 || status === 204 || status === 205 || status === 206 || status === 304)
    return false;
  if (headers.has('content-range')) return false;
  if (headers.all('content-encoding').some((value) => value.trim() !== '' && value.trim().toLowerCase() !== 'identity'))
    return false;
  if (headers.all('cache-control').some((value) => /(^|[\s,])no-transform([\s,]|$)/i.test(value))) return false;
  const length = headers.get('content-length');
  return length === undefined || Number(length) >= leastBytes;
}

function matchesType(contentType: string | undefined, types: readonly string[]): boolean {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return types.some((wanted) => (wanted.endsWith('/*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted));
}

function vary(headers: HeaderList): void {
  const named = headers.all('vary').flatMap((value) => value.split(',').map((name) => name.trim().toLowerCase()));
  if (named.includes('*') || named.includes('accept-encoding')) return;
  headers.add('Vary', 'Accept-Encoding');
}

/** The one of ours that the client likes best (RFC 9110, section 12.5.3). Without the header: none. */
export function negotiate(
  accepted: readonly string[],
  offered: readonly CompressionAlgo[],
): CompressionAlgo | undefined {
  const wanted = new Map<string, number>();
  for (const part of accepted.flatMap((value) => value.split(','))) {
    const [coding = '', ...parameters] = part.split(';').map((each) => each.trim().toLowerCase());
    const quality = parameters.find((each) => each.startsWith('q='));
    const value = quality === undefined ? 1 : Number(quality.slice(2));
    if (coding !== '') wanted.set(coding === 'x-gzip' ? 'gzip' : coding, Number.isFinite(value) ? value : 0);
  }
  const identity = wanted.get('identity') ?? 0;
  let best: CompressionAlgo | undefined;
  let bestQuality = 0;
  for (const algorithm of offered) {
    const quality = wanted.get(algorithm) ?? wanted.get('*') ?? 0;
    if (quality > bestQuality && quality >= identity) {
      best = algorithm;
      bestQuality = quality;
    }
  }
  return best;
}

function streamOf(algorithm: CompressionAlgo): Transform {
  switch (algorithm) {
    case 'gzip':
      return createGzip({ level: 6, flush: constants.Z_SYNC_FLUSH });
    case 'deflate':
      return createDeflate({ level: 6, flush: constants.Z_SYNC_FLUSH });
    case 'br':
      return createBrotliCompress({
        flush: constants.BROTLI_OPERATION_FLUSH,
        // The default of 11 is for files that are compressed once; 4 costs what gzip costs.
        params: { [constants.BROTLI_PARAM_QUALITY]: 4 },
      });
  }
}
