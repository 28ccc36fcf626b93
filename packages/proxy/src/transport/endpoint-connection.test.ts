import { type AddressInfo, createServer } from 'node:net';
import { expect } from 'chai';
import { endpointAt } from '../../test/test-context.ts';
import { until } from '../../test/until.ts';
import type { ResponseReceiver } from './endpoint-channel.ts';
import { openSingleExchange } from './single-exchange.ts';

const request = { method: 'GET', chunked: false, firstBytes: '', whole: true, trailers: '', upgrade: '' };
const head = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n';
const bodyBytes = 8_000_000;
const shareBytes = 131_072;
const readBytes = 65_536;

describe('a connection to an endpoint', () => {
  for (const [what, isClogged] of [
    ['takes all of it', false],
    ['pauses it for each piece, until the end of the callback that brought it', true],
  ] as const)
    it(`leaves others their turn however fast its endpoint sends, and reads the response to its end, where its receiver ${what}`, async () => {
      const server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => {
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bodyBytes}\r\n\r\n`);
          socket.write(Buffer.alloc(bodyBytes));
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const faults: unknown[] = [];
      let inTurn = 0;
      let read = 0;
      let isComplete = false;
      const turns: number[] = [];
      const take = (from: number, to: number, complete: boolean) => {
        // A turn ends where the check phase of the event loop begins.
        if (inTurn === 0)
          setImmediate(() => {
            turns.push(inTurn);
            inTurn = 0;
          });
        inTurn += to - from;
        read += to - from;
        isComplete = complete;
        if (isClogged && !complete) {
          exchange.channel.pause();
          process.nextTick(() => exchange.channel.resume());
        }
        return false;
      };
      const receiver: ResponseReceiver = {
        silenceMs: 5_000,
        wantsPayload: false,
        copiesBytes: 'all',
        onInterim: () => undefined,
        onHead: (_head, _bytes, _framing, from, to, complete) => take(from, to, complete),
        onBody: (_bytes, from, to, complete) => take(from, to, complete),
        onUpgrade: () => undefined,
        onBroken: (fault) => faults.push(fault),
        onWritable: () => undefined,
        onConnected: () => undefined,
        onSilence: () => undefined,
        onFault: (error) => faults.push(error),
      };
      const { port } = server.address() as AddressInfo;
      const exchange = openSingleExchange(endpointAt(port), 5_000, () => faults.push('closed'));
      exchange.channel.send({ ...request, head }, receiver);
      await until(() => isComplete || faults.length > 0, 'the whole response');
      exchange.close();
      await new Promise((resolve) => server.close(resolve));
      expect(faults).to.deep.equal([]);
      expect(read).to.equal(bodyBytes);
      expect(Math.max(...turns)).to.be.at.most(shareBytes + readBytes);
    });
});
