/** Messages of `grpc.health.v1.Health/Check`, each with the prefix of gRPC over HTTP/2: a flag and four bytes of length. */

/** The path of the call. */
export const healthCheckPath = '/grpc.health.v1.Health/Check';

const prefixBytes = 5;
/** HealthCheckRequest: field 1, `service`, a string. */
const serviceField = 0x0a;
/** HealthCheckResponse: field 1, `status`, a varint; 1 is SERVING. */
const statusField = 0x08;
const serving = 1;

/** @param service full name as `package.Service`; empty: the server as a whole. At most 16,383 bytes */
export function healthCheckRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const length = name.length < 128 ? [name.length] : [(name.length & 0x7f) | 0x80, name.length >> 7];
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([serviceField, ...length]), name]);
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Whether the response is SERVING. Its other fields, which later versions may add, are not read. */
export function isServing(body: Buffer): boolean {
  if (body.length < prefixBytes + 2 || body[0] !== 0) return false;
  const length = body.readUInt32BE(1);
  return length === body.length - prefixBytes && body[prefixBytes] === statusField && body[prefixBytes + 1] === serving;
}

/** The service that a `checkPath` names: `/` is the server as a whole, `/package.Service` one of its services. */
export function checkedService(checkPath: string): string {
  return checkPath.slice(1);
}
