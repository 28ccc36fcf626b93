import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import type { UseOf } from '@swarmgate/labels';
import type { CompressionAlgo } from '@swarmgate/registry';
import Negotiator from 'negotiator';
import type { Exchange, ResponseHead } from '../model/exchange.ts';
import type { HeaderList } from '../model/header-list.ts';
import type { Middleware } from './middleware.ts';

export interface Compression {
  /** In order of preference, where the client has none. */
  readonly algorithms: readonly CompressionAlgo[];
  /** Media types in lower case, `text/*` for all of a kind. */
  readonly types: readonly string[];
  /** Those that are left as they are all the same. */
  readonly excludedTypes?: readonly string[];
  /** Bodies that are known to be smaller are left as they are. Default 256. */
  readonly leastBytes?: number;
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
  return {
    name: 'compressionAlgo',
    transform: (exchange, head, hasBody) => compress(options, exchange, head, hasBody),
  };
}

/** `compress` of a list. */
export function listedCompression(use: UseOf<'compress'>): Middleware {
  const types = use.types?.map((type) => type.toLowerCase());
  return {
    ...compression({
      algorithms: availableAlgorithms(use.algorithms ?? ['gzip', 'br', 'zstd']),
      types: types ?? (use.excludedTypes === undefined ? usualTypes : ['*']),
      excludedTypes: use.excludedTypes?.map((type) => type.toLowerCase()) ?? [],
      leastBytes: use.leastBytes ?? 1_024,
    }),
    name: 'compress',
  };
}

/**
 * Changes the head to that of the compressed form and gives the stream for its body. HEAD gets the head that GET would
 * (RFC 9110, section 9.3.2), without a stream; 304 the validator and Vary of the form that the client has or would get
 * (section 15.4.5), so that a cache that updates its stored response keeps it apart (RFC 9111, section 4.3.4); 206 keeps
 * the bytes and the validator of the uncompressed form, and gets Vary. Left as it is: 1xx, 204, 205, `no-transform`
 * (section 7.7), what is compressed already, too small, or of another type. Every piece is flushed, so events pass at once.
 */
export function compress(
  compression: Compression,
  exchange: Exchange,
  head: ResponseHead,
  hasBody: boolean,
): Transform | undefined {
  const { status, headers } = head;
  if (!mayCompress(head, compression.leastBytes ?? leastBytes)) return undefined;
  const isPart = status === 206 || headers.has('content-range');
  const type = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  // A 304 rarely has the type, and several ranges come under a type of their own.
  const isOpen = type === undefined ? status === 304 : isPart && type === 'multipart/byteranges';
  if (!isOpen && !matchesType(type ?? '', compression.types)) return undefined;
  if (compression.excludedTypes !== undefined && matchesType(type ?? '', compression.excludedTypes)) return undefined;
  // Set in any case: a cache must not give one client's encoding to another client.
  vary(headers);
  if (isPart) return undefined;
  const algorithm = negotiate(exchange.request.all('accept-encoding'), compression.algorithms);
  if (algorithm === undefined || (isOpen && !hasCompressedForm(exchange, headers))) return undefined;
  for (const name of ['content-length', 'accept-ranges', 'content-md5', 'digest', 'content-digest'])
    headers.delete(name);
  const etag = headers.get('etag');
  // The same resource in other bytes: a strong validator would lie (RFC 9110, section 8.8.3).
  if (etag?.startsWith('"')) headers.set('ETag', `W/${etag}`);
  if (status === 304) return undefined;
  headers.set('Content-Encoding', algorithm);
  return hasBody ? streamOf(algorithm) : undefined;
}

function mayCompress({ status, headers }: ResponseHead, least: number): boolean {
  if (status < 200 || status === 204 || status === 205) return false;
  if (headers.all('content-encoding').some((value) => value.trim() !== '' && value.trim().toLowerCase() !== 'identity'))
    return false;
  if (headers.all('cache-control').some((value) => /(^|[\s,])no-transform([\s,]|$)/i.test(value))) return false;
  const range = headers.get('content-range');
  const length = range === undefined ? headers.get('content-length') : /\/(\d+)\s*$/.exec(range)?.[1];
  return length === undefined || Number(length) >= least;
}

/** A client that sends `W/"x"` where the endpoint names `"x"` has the form that was made here. */
function hasCompressedForm({ request }: Exchange, headers: HeaderList): boolean {
  const etag = headers.get('etag');
  if (etag?.startsWith('"') !== true) return false;
  const requested = request.all('if-none-match').join(', ');
  return requested.includes(`W/${etag}`) && !requested.replaceAll(`W/${etag}`, '').includes(etag);
}

function matchesType(type: string, types: readonly string[]): boolean {
  return types.some((required) =>
    required === '*'
      ? type !== ''
      : required.endsWith('/*')
        ? type.startsWith(required.slice(0, -1))
        : type === required,
  );
}

function vary(headers: HeaderList): void {
  const named = headers.all('vary').flatMap((value) => value.split(',').map((name) => name.trim().toLowerCase()));
  if (named.includes('*') || named.includes('accept-encoding')) return;
  headers.add('Vary', 'Accept-Encoding');
}

/**
 * The coding with the highest quality in Accept-Encoding, the first offered one among equals (RFC 9110, section 12.5.3).
 * `undefined`: none, because the client prefers the body unchanged or sent no such header.
 */
export function negotiate(
  accepted: readonly string[],
  offered: readonly CompressionAlgo[],
): CompressionAlgo | undefined {
  // x-gzip is gzip (RFC 9110, section 8.4.1.3).
  const header = accepted.join(',').replace(/\bx-gzip\b/gi, 'gzip');
  const codings = [...offered, 'identity'];
  const [best] = new Negotiator({ headers: { 'accept-encoding': header } }).encodings(codings, { preferred: codings });
  return offered.find((each) => each === best);
}

/** Without `zstd` where this Node has none: it came with 22.15 and 23.8. */
export function availableAlgorithms(
  algorithms: readonly CompressionAlgo[],
  hasZstd = typeof zlib.createZstdCompress === 'function',
): readonly CompressionAlgo[] {
  return hasZstd ? algorithms : algorithms.filter((algorithm) => algorithm !== 'zstd');
}

function streamOf(algorithm: CompressionAlgo): Transform {
  const { constants } = zlib;
  switch (algorithm) {
    case 'gzip':
      return zlib.createGzip({ level: 6, flush: constants.Z_SYNC_FLUSH });
    case 'deflate':
      return zlib.createDeflate({ level: 6, flush: constants.Z_SYNC_FLUSH });
    case 'br':
      return zlib.createBrotliCompress({
        flush: constants.BROTLI_OPERATION_FLUSH,
        // The default of 11 is for files that are compressed once; 4 costs what gzip costs.
        params: { [constants.BROTLI_PARAM_QUALITY]: 4 },
      });
    case 'zstd':
      // Its window of 2 MB is below the 8 MB that clients have to take (RFC 9659).
      return zlib.createZstdCompress({
        flush: constants.ZSTD_e_flush,
        params: { [constants.ZSTD_c_compressionLevel]: 3 },
      });
  }
}
