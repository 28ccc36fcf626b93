import { added, local, okResponse, record, refused, type ViewCase } from './view-case.ts';

const once = { outcomes: ['responded'], client: { responses: [okResponse], connection: 'open' } } as const;
const never = { endpoint: [], outcomes: [] } as const;

/** A request with one more field, and what becomes of the field. */
function passes(name: string, method: string, sent: string, forwarded: string | undefined, more = {}): ViewCase {
  const fields = ['Host: shop.example', ...(forwarded === undefined ? [] : [forwarded]), ...added()];
  return {
    ...once,
    name,
    does: [{ method, target: '/a', fields: [sent] }],
    endpoint: [{ line: `${method} /a HTTP/1.1`, fields }],
    records: [record({ method })],
    ...more,
  };
}

function lastHop(method: string, status: number, reason: string): ViewCase {
  const fields = ['Allow: OPTIONS', 'X-Swarmgate-Reason: max-forwards', 'Content-Length: 0', 'Date: *'];
  return {
    ...never,
    name: `${method} that may not be forwarded any more`,
    does: [{ method, target: '/a', fields: ['Max-Forwards: 0'] }],
    client: { responses: [{ status, reason, fields, body: '' }], connection: 'open' },
    records: [refused(status, 'max-forwards', { method, service: 'swarm/web' })],
  };
}

function inVersion(version: string): ViewCase {
  return {
    ...once,
    name: `${version}, which is served as HTTP/1.1`,
    does: [`GET /a ${version}\r\nHost: shop.example\r\n\r\n`],
    endpoint: [{ line: 'GET /a HTTP/1.1', fields: ['Host: shop.example', ...added()] }],
    records: [record()],
  };
}

/** How far a request goes, in which version, and what it says of its client's address. */
export const hopCases: readonly ViewCase[] = [
  passes('OPTIONS that counts its forwards', 'OPTIONS', 'Max-Forwards: 5', 'Max-Forwards: 4'),
  passes('OPTIONS on its last forward', 'OPTIONS', 'Max-Forwards: 1', 'Max-Forwards: 0'),
  passes('TRACE with more forwards than are counted', 'TRACE', 'Max-Forwards: 99999999999', 'Max-Forwards: 2147483647'),
  passes('OPTIONS with a Max-Forwards that is no number', 'OPTIONS', 'Max-Forwards: 0x1', 'Max-Forwards: 0x1'),
  passes('GET, whose forwards do not count', 'GET', 'Max-Forwards: 0', 'Max-Forwards: 0'),
  lastHop('OPTIONS', 200, 'OK'),
  lastHop('TRACE', 405, 'Method Not Allowed'),
  passes('X-Real-IP of an untrusted client', 'GET', 'X-Real-IP: 192.0.2.1', undefined),
  passes('X_Real_IP of an untrusted client', 'GET', 'X_Real_IP: 192.0.2.1', undefined),
  passes('X-Real-IP of a trusted hop', 'GET', 'X-Real-IP: 192.0.2.1', 'X-Real-IP: 192.0.2.1', { trustedHop: true }),
  passes('True-Client-IP, which is one network’s own', 'GET', 'True-Client-IP: 192.0.2.1', 'True-Client-IP: 192.0.2.1'),
  ...['HTTP/1.2', 'HTTP/1.9'].map(inVersion),
  {
    ...never,
    name: 'another major version of HTTP',
    does: ['GET /a HTTP/3.0\r\nHost: shop.example\r\n\r\n'],
    client: {
      responses: [local(505, 'version-not-supported', 'this major version of HTTP is not served in this form')],
      connection: 'closed',
    },
    records: [refused(505, 'version-not-supported', { method: '', host: '', path: '', cause: 'other-major-version' })],
  },
];
