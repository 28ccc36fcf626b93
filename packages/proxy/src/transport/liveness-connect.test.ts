import { createServer, type Server, Socket } from 'node:net';
import { expect } from 'chai';
import { MovedClock, openToNobody } from '../../test/gone-endpoint.ts';
import { endpointAt } from '../../test/test-context.ts';
import { until } from '../../test/until.ts';
import { DeadlineSweep } from './deadline-sweep.ts';
import { LivenessConnects } from './liveness-connect.ts';

describe('liveness connects', () => {
  const endpoint = endpointAt(1);
  let clock: MovedClock;
  let sweep: DeadlineSweep;
  let connects: LivenessConnects;
  let opened: Socket[];
  let gone: number;
  let reported: string[];

  const probing = (open: (host: string, port: number) => Socket) => {
    connects = new LivenessConnects({
      sweep,
      onUnreachable: () => {
        gone += 1;
      },
      open: (host, port) => {
        const socket = open(host, port);
        opened.push(socket);
        return socket;
      },
    });
  };
  const connect = (name: string) => connects.check(endpoint, () => reported.push(name));
  const pass = (ms: number) => clock.move(ms, sweep, 10);

  beforeEach(() => {
    clock = new MovedClock();
    sweep = new DeadlineSweep(10, clock.now);
    [opened, gone, reported] = [[], 0, []];
  });
  afterEach(() => connects.stop());

  it('report an endpoint as unreachable that does not accept within a second, to all who wait and to calls soon after', () => {
    probing(openToNobody);
    connect('one');
    pass(500);
    connect('other');
    expect(reported).to.deep.equal([]);
    pass(600);
    expect(reported).to.deep.equal(['one', 'other']);
    connect('late');
    expect(reported).to.deep.equal(['one', 'other', 'late']);
    expect([opened.length, gone]).to.deep.equal([1, 1]);
    expect(opened[0]?.destroyed).to.equal(true);
  });

  it('connect again a second later', () => {
    probing(openToNobody);
    connect('one');
    pass(2_100);
    connect('again');
    expect(opened).to.have.length(2);
    pass(1_100);
    expect(reported).to.deep.equal(['one', 'again']);
  });

  it('take a machine that the network knows no way to for gone, and one that refuses for there', async () => {
    for (const [code, expected] of [
      ['EHOSTUNREACH', 1],
      ['ECONNREFUSED', 0],
    ] as const) {
      gone = 0;
      probing(() => new Socket());
      connect('one');
      opened.at(-1)?.destroy(Object.assign(new Error(code), { code }));
      await until(() => opened.at(-1)?.closed === true, 'the end of the connect');
      expect(gone, code).to.equal(expected);
      connects.stop();
    }
  });

  describe('of an endpoint that accepts', () => {
    let server: Server;
    let accepted: number;

    beforeEach(async () => {
      accepted = 0;
      server = createServer((socket) => {
        accepted += 1;
        socket.on('error', () => undefined).resume();
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    });
    afterEach(() => server.close());

    it('report nothing while it accepts, and connect at most once a second', async () => {
      const address = server.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      connects = new LivenessConnects({ sweep, onUnreachable: () => reported.push('gone') });
      const there = endpointAt(port);
      connects.check(there, () => reported.push('one'));
      await until(() => accepted === 1, 'the connect');
      await until(() => sweep.size === 1, 'the finding');
      for (let requested = 0; requested < 10; requested += 1) connects.check(there, () => reported.push('again'));
      pass(1_100);
      expect([accepted, reported.length, sweep.size]).to.deep.equal([1, 0, 0]);
    });
  });
});
