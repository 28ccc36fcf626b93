import type { OutgoingHttpHeader, OutgoingHttpHeaders } from 'node:http';
import { nodeHttp } from '@swarmgate/runtime/node-http';
import { HeaderList } from '../model/header-list.ts';

/** An error with a code of node:http, which middleware acts on. */
export function responseError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

/** @throws TypeError where it is neither a string nor bytes, with the code that node:http gives */
export function bytesOf(chunk: unknown, encoding: unknown): Buffer {
  if (typeof chunk === 'string')
    return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
  if (Buffer.isBuffer(chunk)) return chunk;
  if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (chunk === null) throw coded(TypeError, 'ERR_STREAM_NULL_VALUES', 'May not write null values to stream');
  throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', 'a response takes strings and Uint8Arrays');
}

/** @throws RangeError */
export function checkStatus(status: number): number {
  const code = status | 0;
  if (code < 100 || code > 999)
    throw coded(RangeError, 'ERR_HTTP_INVALID_STATUS_CODE', `Invalid status code: ${status}`);
  return code;
}

/** @throws TypeError */
export function checkReason(reason: string): void {
  if (/[^\t\x20-\x7e\x80-\xff]/.test(reason))
    throw coded(TypeError, 'ERR_INVALID_CHAR', 'Invalid character in statusMessage');
}

/** Fields of an interim response. @throws where node:http would */
export function interimHeaders(
  status: number,
  fields: OutgoingHttpHeaders | readonly OutgoingHttpHeader[] | null | undefined,
): HeaderList {
  if (!Number.isInteger(status) || status < 100 || status > 199)
    throw coded(RangeError, 'ERR_OUT_OF_RANGE', `Invalid status code of an interim response: ${status}`);
  if (status === 101) throw coded(RangeError, 'ERR_HTTP_INVALID_STATUS_CODE', 'Invalid status code: 101');
  const headers = new HeaderList();
  for (const [name, value] of pairsOf(fields ?? {}))
    for (const each of Array.isArray(value) ? value : [value]) {
      nodeHttp.validateHeaderName(name);
      nodeHttp.validateHeaderValue(name, String(each));
      headers.add(name, String(each));
    }
  return headers;
}

/** Trailer lines, CRLF at the end of each. @throws where node:http would */
export function trailerLinesOf(trailers: OutgoingHttpHeaders | readonly (readonly [string, string])[]): string {
  const pairs = Array.isArray(trailers) ? (trailers as [string, string][]) : Object.entries(trailers);
  let lines = '';
  for (const [name, value] of pairs) {
    nodeHttp.validateHeaderName(name);
    for (const each of Array.isArray(value) ? value : [value]) {
      nodeHttp.validateHeaderValue(name, String(each));
      lines += `${name}: ${String(each)}\r\n`;
    }
  }
  return lines;
}

/** Of an object, of pairs, or of a flat list of names and values. */
export function pairsOf(fields: OutgoingHttpHeaders | readonly OutgoingHttpHeader[]): [string, OutgoingHttpHeader][] {
  if (!Array.isArray(fields)) {
    const entries = Object.entries(fields as OutgoingHttpHeaders);
    return entries.filter((entry): entry is [string, OutgoingHttpHeader] => entry[1] !== undefined);
  }
  if (Array.isArray(fields[0])) return fields as unknown as [string, OutgoingHttpHeader][];
  if (fields.length % 2 !== 0)
    throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', 'a flat list of headers has a value for each name');
  const pairs: [string, OutgoingHttpHeader][] = [];
  for (let at = 0; at < fields.length; at += 2) pairs.push([String(fields[at]), fields[at + 1] as OutgoingHttpHeader]);
  return pairs;
}

function coded(Kind: ErrorConstructor | typeof TypeError | typeof RangeError, code: string, message: string): Error {
  return Object.assign(new Kind(message), { code });
}
