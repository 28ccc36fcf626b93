import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { until } from '../../test/until.ts';
import { openConnection } from './open-connection.ts';

/** The timer that runs for a socket of this machine, by proc_pid_net(5): `02` is the one of keep-alive. */
async function timerOf({ localPort = 0 }: Socket): Promise<string | undefined> {
  const port = localPort.toString(16).toUpperCase().padStart(4, '0');
  return new RegExp(`^ *\\d+: \\w{8}:${port} \\w{8}:\\w{4} 01 \\w+:\\w+ (\\w\\w):`, 'm').exec(
    await readFile('/proc/net/tcp', 'latin1'),
  )?.[1];
}

describe('a connection to an endpoint that is open', () => {
  let server: Server;
  let socket: Socket | undefined;
  const accepted = new Set<Socket>();

  beforeEach(async () => {
    server = createServer((each) => accepted.add(each.on('error', () => undefined)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    socket?.destroy();
    for (const each of accepted) each.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  for (const secure of [false, true])
    it(`is probed while it is quiet${secure ? ', by TLS' : ''}: a host without power is found`, async function () {
      if (process.platform !== 'linux') this.skip();
      const { port } = server.address() as AddressInfo;
      socket = openConnection({ host: '127.0.0.1', port, secure }).on('error', () => undefined);
      let timer: string | undefined;
      await until(async () => {
        timer = socket?.connecting === false ? await timerOf(socket) : undefined;
        return timer === '02';
      }, 'the timer of keep-alive');
      expect(timer).to.equal('02');
    });
});
