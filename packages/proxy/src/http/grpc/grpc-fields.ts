/** Fields of gRPC over HTTP/2 (gRPC, doc/PROTOCOL-HTTP2.md) and their values. */

/** Codes that the proxy itself ends calls with (gRPC, doc/statuscodes.md). */
export const GrpcStatus = {
  unknown: 2,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** Whether a `content-type` is that of a gRPC call, of any message format; gRPC-Web has another one. */
export function isGrpcType(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/grpc(?:$|[+; ])/i.test(contentType);
}

const unitsMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 0.001, n: 0.000_001 };

/** Milliseconds of a `grpc-timeout`: at most eight digits and a unit. `undefined`: none, or not one. */
export function grpcTimeoutMs(value: string | undefined): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(value ?? '');
  const unitMs = unitsMs[match?.[2] ?? ''];
  return unitMs === undefined ? undefined : Number(match?.[1]) * unitMs;
}

/** A `grpc-message`: UTF-8, percent-encoded but for visible ASCII and the blank. */
export function grpcMessage(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text))
    encoded +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return encoded;
}

/** The `grpc-status` among field lines of a head or of trailers, CRLF at the end of each. */
export function grpcStatusIn(lines: string): number | undefined {
  const status = /^grpc-status:[ \t]*(\d{1,3})[ \t]*\r?$/im.exec(lines)?.[1];
  return status === undefined ? undefined : Number(status);
}
