import { type Flood, keepOpen, open, pingPong } from './attack.ts';

const call = (method: string, path: string) =>
  `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n`;

/** The next call follows the response, on so many connections; a response ends with `end`. */
const calls =
  (count: number, text: (at: number) => string, end: string): Flood['start'] =>
  ({ admin }) => {
    let at = 0;
    keepOpen(
      count,
      () => open(admin),
      (socket) => pingPong(socket, text(at++), end),
    );
  };
const streams =
  (count: number, path: string): Flood['start'] =>
  ({ admin }) =>
    keepOpen(
      count,
      () => open(admin),
      (socket) => socket.resume().write(call('GET', path)),
    );

export const adminFloods: readonly Flood[] = [
  { name: 'admin: health, honest', isHonest: true, start: calls(16, () => call('GET', '/healthz'), '}') },
  {
    name: 'admin: explain',
    start: calls(
      32,
      () => call('GET', `/v1/explain?url=${encodeURIComponent(`http://flood.example/${'x'.repeat(8_000)}`)}`),
      '}',
    ),
  },
  { name: 'admin: all services', start: calls(32, () => call('GET', '/v1/services'), '}') },
  { name: 'admin: metrics', start: calls(32, () => call('GET', '/metrics'), '\n') },
  {
    name: 'admin: reconfigure',
    start: calls(
      16,
      (at) =>
        call(
          'GET',
          `/v1/docker-flow-proxy/reconfigure?serviceName=changed-${at % 8}&servicePath=/changed-${at}&port=80`,
        ),
      '}',
    ),
  },
  {
    name: 'admin: silent connections, 2,000',
    start: ({ admin }) =>
      keepOpen(
        2_000,
        () => open(admin),
        (socket) => socket.resume(),
      ),
  },
  { name: 'admin: event streams', start: streams(64, '/v1/events') },
  { name: 'admin: live requests', start: streams(64, '/v1/requests') },
];
