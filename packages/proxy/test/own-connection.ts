import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Rig } from './server-rig.ts';

/** A port of the rig's server whose connections a test has in its hands, to give them what is read. */
export async function ownConnection(rig: Rig) {
  const accepted: Socket[] = [];
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket);
    rig.server.accept(socket, { port: 80, secure: false });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    socket: () => accepted[0] as Socket,
    isAccepted: () => accepted.length === 1,
    close: () => listener.close(),
  };
}
