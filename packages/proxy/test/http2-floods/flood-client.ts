import { connect } from 'node:net';
import { clientPreface } from '../../src/http/http2/frames.ts';
import { settings, settingsAck } from '../http2-wire.ts';
import { type FloodKind, type FloodName, floodKinds } from './flood-kinds.ts';

// A process of its own, so that the flood's cost is not the proxy's. Arguments: port, name of the flood. Ends with its parent's
// channel. Four connections at once; each that ends is opened again.
const port = Number(process.argv[2]);
const kind: FloodKind = floodKinds[process.argv[3] as FloodName];
let opened = 0;

function flood(): void {
  opened += 1;
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let round = 0;
  const next = () => {
    if (socket.destroyed || kind.round === undefined) return;
    if (socket.write(kind.round(round++))) setImmediate(next);
    else socket.once('drain', next);
  };
  let timer: NodeJS.Timeout | undefined;
  socket.on('connect', () => {
    if (kind.stalledPreface === true) {
      let at = 0;
      const preface = Buffer.from(clientPreface);
      timer = setInterval(() => at < preface.length - 1 && socket.write(preface.subarray(at, ++at)), 10);
      return;
    }
    socket.write(
      Buffer.concat([Buffer.from(clientPreface), settings(), settingsAck, kind.opening?.() ?? Buffer.alloc(0)]),
    );
    next();
  });
  if (kind.deaf !== true) socket.resume();
  socket.on('error', () => undefined);
  socket.on('close', () => {
    clearInterval(timer);
    setTimeout(flood, 5);
  });
}

for (let count = 0; count < 4; count++) flood();
process.on('message', () => process.send?.(opened));
process.on('disconnect', () => process.exit(0));
