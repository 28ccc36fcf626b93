import { Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { http1ConnectionContext } from '../../../test/http1-connection-context.ts';
import { endpointAt, testContext } from '../../../test/test-context.ts';
import { AddedFields } from '../../exchange/upstream-head.ts';
import { ConnectionPool } from '../../transport/connection-pool.ts';
import { DeadlineSweep } from '../../transport/deadline-sweep.ts';
import { Http1Connection } from './connection.ts';

const count = 2_000;

describe('what an idle HTTP/1.1 connection keeps', () => {
  let collect: () => void;
  before(() => {
    setFlagsFromString('--expose-gc');
    const once = runInNewContext('gc') as () => void;
    // What one collection finalizes, the next one frees.
    collect = () => {
      for (let times = 0; times < 3; times += 1) once();
    };
  });
  after(() => setFlagsFromString('--no-expose-gc'));

  /** Bytes of V8's heap that stay for each of the things. */
  function bytesOf(make: (at: number) => unknown): number {
    make(0);
    collect();
    const before = process.memoryUsage().heapUsed;
    const made = Array.from({ length: count }, (_, at) => make(at));
    collect();
    return (process.memoryUsage().heapUsed - before) / made.length;
  }

  it('has the lines that it added to its first request in a few pieces: at most 200 bytes', () => {
    const kept = Array.from({ length: count + 1 }, () => new AddedFields('10.1.2.3', 'http', 80, 'test'));
    expect(bytesOf((at) => kept[at]?.lines('a.example', 'id', false).length)).to.be.below(200);
  });

  it('is at most 850 bytes beside its socket: it has no functions of its own', () => {
    const pool = new ConnectionPool(new DeadlineSweep(10));
    const context = http1ConnectionContext(testContext({ endpoints: [endpointAt(1)] }), pool);
    const sockets = Array.from({ length: count }, () => new Socket());
    const entrypoint = { port: 80, secure: false };
    const bytes = bytesOf((at) => new Http1Connection(sockets[at] as Socket, entrypoint, context));
    expect(bytes).to.be.below(850);
  });
});
