import { connect as connectHttp2 } from 'node:http2';
import { clientPreface } from '../../../packages/proxy/src/http/http2/frames.ts';
import { type FloodKind, floodKinds } from '../../../packages/proxy/test/http2-floods/flood-kinds.ts';
import { settings, settingsAck } from '../../../packages/proxy/test/http2-wire.ts';
import { type Flood, keepOpen, open } from './attack.ts';

const connections = 4;
const prefaceEveryMs = 10;

/** As the floods of the tests, from as many connections as they use. */
function flood(kind: FloodKind): Flood['start'] {
  return ({ plain }) =>
    keepOpen(
      connections,
      () => open(plain),
      (socket) => {
        let round = 0;
        const next = () => {
          if (socket.destroyed || kind.round === undefined) return;
          if (socket.write(kind.round(round++))) setImmediate(next);
          else socket.once('drain', next);
        };
        if (kind.deaf !== true) socket.resume();
        if (kind.stalledPreface === true) {
          let at = 0;
          const timer = setInterval(
            () => at < clientPreface.length - 1 && socket.write(Buffer.from(clientPreface).subarray(at, ++at)),
            prefaceEveryMs,
          );
          socket.once('close', () => clearInterval(timer));
          return;
        }
        socket.write(
          Buffer.concat([Buffer.from(clientPreface), settings(), settingsAck, kind.opening?.() ?? Buffer.alloc(0)]),
        );
        next();
      },
    );
}

const honest: Flood = {
  name: 'HTTP/2: honest requests',
  isHonest: true,
  start: ({ plain }) => {
    for (let at = 0; at < connections; at++) {
      const session = connectHttp2(`http://127.0.0.1:${plain}`, { localAddress: '127.0.0.2' } as never);
      session.on('error', () => undefined);
      const one = () => {
        const stream = session.request({ ':path': '/', ':authority': 'flood.example' });
        stream.resume();
        stream.once('close', one);
      };
      for (let stream = 0; stream < 8; stream++) one();
    }
  },
};

export const http2Floods: readonly Flood[] = [
  honest,
  ...Object.entries(floodKinds as Readonly<Record<string, FloodKind>>).map(([name, kind]) => ({
    name: `HTTP/2: ${name}`,
    start: flood(kind),
  })),
].map((each) => ({ ...each, probe: 'HTTP/2' }));
