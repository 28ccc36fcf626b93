import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { RawClient } from './raw-client.ts';
import type { Rig } from './server-rig.ts';
import { until } from './until.ts';

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

/** A client of such a port, and its connection as the server has it. */
export async function ownClient(rig: Rig) {
  const { port, socket, isAccepted, close } = await ownConnection(rig);
  const client = new RawClient(port);
  await until(isAccepted, 'the connection');
  const end = () => {
    client.destroy();
    close();
  };
  return { client, socket: socket(), end };
}
