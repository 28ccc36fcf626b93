import { connect as connectHttp2 } from 'node:http2';
import { createServer, type Server } from 'node:net';
import { expect } from 'chai';
import { requestHeaders } from '../../src/middleware/header-changes.ts';
import type { Middleware } from '../../src/middleware/middleware.ts';
import {
  type MakeServer,
  makeCoreServer,
  makeExpressHttp2Server,
  makeExpressServer,
  makeHttp2Server,
  makeReferenceServer,
  type Rig,
  startRig,
} from '../server-rig.ts';
import { endpointAt } from '../test-context.ts';
import { until } from '../until.ts';

/** What a client claims in spellings that services fold together with the proxy's own headers and those of the route. */
const claimed: readonly (readonly [name: string, value: string])[] = [
  ['X_User', 'theirs'],
  ['x.user', 'theirs'],
  ['X_SECRET', 's'],
  ['x~secret', 's'],
  ['X_Forwarded_For', '6.6.6.6'],
  ['X-Forwarded_Proto', 'https'],
  ['x_real-ip', '6.6.6.6'],
  ['Swarmgate_Hops', '16'],
];

const step = requestHeaders({ add: [], set: [{ name: 'X-User', value: 'ours' }], del: ['X-Secret'] }, {}) as Middleware;

const byUpgrade = (rig: Rig) => {
  const fields = claimed.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  rig
    .client()
    .send(`GET /ws HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${fields}\r\n`);
  return () => undefined;
};
/** RFC 8441. */
const byConnect = (rig: Rig) => {
  const session = connectHttp2(`http://127.0.0.1:${rig.port}`);
  session.on('error', () => undefined);
  session.once('remoteSettings', () => {
    const head = { ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http', ':path': '/ws' };
    const fields = claimed.map(([name, value]) => [name.toLowerCase(), value] as const);
    session.request({ ...head, ':authority': 'a.example', ...Object.fromEntries(fields) }).on('error', () => undefined);
  });
  return () => session.destroy();
};

const servers: readonly (readonly [name: string, make: MakeServer, open: (rig: Rig) => () => void])[] = [
  ['HTTP/1.1', makeCoreServer, byUpgrade],
  ['HTTP/1.1, express', makeExpressServer, byUpgrade],
  ['HTTP/2', makeHttp2Server, byConnect],
  ['HTTP/2 by node', makeReferenceServer, byConnect],
  ['HTTP/2, express', makeExpressHttp2Server, byConnect],
];

describe('headers of an upgrade', () => {
  let rig: Rig | undefined;
  let endpoint: Server;
  let close = () => {};
  let head = '';

  beforeEach(async () => {
    head = '';
    endpoint = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        head += bytes.toString('latin1');
        if (head.endsWith('\r\n\r\n'))
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      });
    });
    await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    close();
    await rig?.stop();
    endpoint.close();
  });

  for (const [name, make, open] of servers)
    it(`go in every spelling that services fold together, over ${name}`, async () => {
      const address = endpoint.address();
      if (address === null || typeof address === 'string') throw new Error('no port');
      rig = await startRig(make, { endpoints: [endpointAt(address.port)], steps: [step] });
      close = open(rig);
      await until(() => head.endsWith('\r\n\r\n'), 'the upgrade at the endpoint');
      expect(head.toLowerCase()).to.include('upgrade: websocket');
      const names = head
        .toLowerCase()
        .split('\r\n')
        .slice(1)
        .map((line) => line.slice(0, line.indexOf(':')));
      const folded = (of: string) => names.filter((each) => each.replace(/[^a-z0-9]/g, '-') === of);
      expect(folded('x-user')).to.deep.equal(['x-user']);
      expect(head.toLowerCase()).to.include('x-user: ours').and.not.include('theirs');
      expect(folded('x-secret')).to.deep.equal([]);
      for (const own of ['x-forwarded-for', 'x-forwarded-proto', 'swarmgate-hops'])
        expect(folded(own), own).to.deep.equal([own]);
      expect(folded('x-real-ip')).to.deep.equal([]);
      expect(head).not.to.include('6.6.6.6');
    });
});
