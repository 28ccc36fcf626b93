import { expect } from 'chai';
import { MovedClock, openToNobody } from '../../../test/gone-endpoint.ts';
import {
  http2At,
  type ScriptedEndpoint,
  startScriptedEndpoint,
} from '../../../test/http2-endpoint/scripted-endpoint.ts';
import { headers } from '../../../test/http2-wire.ts';
import { until } from '../../../test/until.ts';
import { Flag, Frame } from '../../http/http2/frames.ts';
import { ConnectionPool } from '../connection-pool.ts';
import { DeadlineSweep } from '../deadline-sweep.ts';
import type { ConnectionFault, EndpointChannel, ResponseReceiver } from '../endpoint-channel.ts';

const head = 'POST / HTTP/1.1\r\nHost: a\r\n\r\n';
const request = { method: 'POST', head, chunked: true, firstBytes: 'x', whole: true, trailers: '', upgrade: '' };
const hourMs = 3_600_000;

describe('silent HTTP/2 connections', () => {
  let scripted: ScriptedEndpoint;
  let clock: MovedClock;
  let pool: ConnectionPool;
  let faults: ConnectionFault['kind'][];
  let heads: number;

  beforeEach(async () => {
    scripted = await startScriptedEndpoint();
    clock = new MovedClock();
    faults = [];
    heads = 0;
    pool = new ConnectionPool(new DeadlineSweep(100, clock.now), {}, undefined, openToNobody);
  });
  afterEach(async () => {
    pool.stop();
    await scripted.stop();
  });

  const receiver: ResponseReceiver = {
    silenceMs: hourMs,
    wantsPayload: true,
    onInterim: () => undefined,
    onHead: () => {
      heads += 1;
      return false;
    },
    onBody: () => false,
    onBroken: ({ kind }) => faults.push(kind),
    onWritable: () => undefined,
    onConnected: () => undefined,
    onSilence: () => undefined,
    onUpgrade: () => undefined,
    onFault: (error) => {
      throw error;
    },
  };
  async function sent(): Promise<EndpointChannel> {
    const before = scripted.frames.filter(({ type }) => type === Frame.data).length;
    const channel = pool.take(http2At(scripted.port), 'any') as EndpointChannel;
    channel.send(request, receiver);
    await until(() => scripted.frames.filter(({ type }) => type === Frame.data).length > before, 'the request');
    return channel;
  }
  const pass = (ms: number) => clock.move(ms, pool.sweep, 400);
  const pings = () => scripted.frames.filter(({ type, flags }) => type === Frame.ping && flags === 0);

  it('are probed for a sign of life after five minutes, and end where none comes', async () => {
    await sent();
    pass(305_000);
    expect(pings()).to.have.length(0);
    pass(10_000);
    await until(() => pings().length === 1, 'PING');
    pass(15_000);
    expect(faults).to.deep.equal([]);
    pass(10_000);
    await until(() => faults.length === 1, 'the end of the request');
    expect(faults).to.deep.equal(['closed']);
  });

  it('go on where it comes', async () => {
    scripted.onFrame = ({ type, flags, payload }, socket) => {
      if (type === Frame.ping && flags === 0)
        socket.write(Buffer.concat([Buffer.from([0, 0, 8, 6, Flag.ack, 0, 0, 0, 0]), payload]));
      if (type === Frame.headers) socket.write(headers(1, [[':status', '200']], Flag.endHeaders));
    };
    await sent();
    await until(() => heads === 1, 'the head');
    for (let each = 1; each <= 3; each++) {
      pass(312_000);
      await until(() => pings().length === each, 'PING');
      // The response is read before the clock goes on.
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    }
    expect(faults).to.deep.equal([]);
  });

  it('get no new requests once their endpoint accepts no connection', async () => {
    const endpoint = http2At(scripted.port);
    await sent();
    pool.livenessConnects.check(endpoint, () => undefined);
    pass(1_100);
    await sent();
    expect(scripted.connections).to.equal(2);
    expect(faults).to.deep.equal([]);
  });
});
