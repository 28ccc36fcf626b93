import { expect } from 'chai';
import { type ForeignEndpoint, startEndpoint } from '../../../test/http2-endpoint/foreign-endpoint.ts';
import { until } from '../../../test/until.ts';
import { ConnectionPool } from '../connection-pool.ts';
import { DeadlineSweep } from '../deadline-sweep.ts';
import type { EndpointChannel, ResponseReceiver } from '../endpoint-channel.ts';

const head = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const request = { method: 'GET', head, chunked: false, firstBytes: '', whole: true, trailers: '', upgrade: '' };

describe('an error thrown in a callback of an HTTP/2 connection to an endpoint', () => {
  let foreign: ForeignEndpoint;
  let pool: ConnectionPool;
  let poolFaults: unknown[];
  let onOpened: () => void;
  beforeEach(async () => {
    foreign = await startEndpoint();
    foreign.onRequest = (stream) => {
      stream.additionalHeaders({ ':status': 103 });
      stream.respond({ ':status': 200 });
      stream.end(Buffer.alloc(100_000));
    };
    poolFaults = [];
    onOpened = () => undefined;
    pool = new ConnectionPool(
      new DeadlineSweep(10),
      { idleMs: 60_000 },
      () => onOpened(),
      undefined,
      (error) => poolFaults.push(error),
    );
  });
  afterEach(async () => {
    pool.stop();
    await foreign.stop();
  });

  type Ended = 'complete' | 'broken' | 'fault';
  /** @param failing the callback that throws */
  function send(failing?: keyof ResponseReceiver): Promise<readonly [Ended, unknown]> {
    return new Promise((resolve) => {
      let faults = 0;
      const may = (name: keyof ResponseReceiver) => {
        if (name === failing) throw new Error(`thrown in ${name}`);
      };
      const take = (name: 'onHead' | 'onBody', complete: boolean) => {
        may(name);
        if (complete) resolve(['complete', undefined]);
        return false;
      };
      const channel = pool.take(foreign.endpoint, 'any') as EndpointChannel;
      channel.send(request, {
        silenceMs: 5_000,
        wantsPayload: true,
        onInterim: () => may('onInterim'),
        onHead: (_head, _bytes, _framing, _from, _to, complete) => take('onHead', complete),
        onBody: (_bytes, _from, _to, complete) => take('onBody', complete),
        onBroken: ({ kind }) => {
          may('onBroken');
          resolve(['broken', kind]);
        },
        onWritable: () => may('onWritable'),
        onConnected: () => may('onConnected'),
        onSilence: () => undefined,
        onUpgrade: () => undefined,
        onFault: (error) => resolve(['fault', ++faults === 1 ? (error as Error).message : 'again']),
      });
    });
  }

  for (const failing of ['onConnected', 'onInterim', 'onHead', 'onBody'] as const)
    it(`costs its own request: ${failing}`, async () => {
      const ended = await Promise.all([send(failing), send(), send()]);
      expect(ended).to.deep.equal([
        ['fault', `thrown in ${failing}`],
        ['complete', undefined],
        ['complete', undefined],
      ]);
      expect(foreign.connections).to.equal(1);
      expect(foreign.seen.length, 'each is sent once').to.be.at.most(3);
      expect(poolFaults).to.deep.equal([]);
      await until(() => pool.sizes().idle === 1, 'an idle connection');
    });

  it('of the connection itself ends it and what is on it, is reported once, and costs no other connection', async () => {
    onOpened = () => {
      throw new Error('thrown in onOpened');
    };
    const ended = await Promise.all([send(), send()]);
    expect(ended.map(([how]) => how)).to.deep.equal(['broken', 'broken']);
    expect(poolFaults.map(String)).to.deep.equal(['Error: thrown in onOpened']);
    await until(() => pool.sizes().open === 0, 'an empty pool');
    onOpened = () => undefined;
    expect(await send()).to.deep.equal(['complete', undefined]);
  });
});
