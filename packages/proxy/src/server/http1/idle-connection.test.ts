import { Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { endpointAt, testContext } from '../../../test/test-context.ts';
import { trustedProxies } from '../../exchange/client-connection.ts';
import { RetryBudget } from '../../exchange/retry-budget.ts';
import { AddedFields } from '../../exchange/upstream-head.ts';
import { RequestHead } from '../../http/request-head.ts';
import { ConnectionPool } from '../../transport/connection-pool.ts';
import { DeadlineSweep } from '../../transport/deadline-sweep.ts';
import { Http1Connection } from './connection.ts';
import type { ConnectionContext } from './connection-context.ts';

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
    const context: ConnectionContext = {
      ...testContext({ endpoints: [endpointAt(1)] }),
      pool,
      budget: new RetryBudget(0.2, 10),
      serverMs: 5_000,
      tunnelMs: 5_000,
      trusted: trustedProxies([]),
      viaName: 'test',
      newRequestId: () => 'id',
      writesForwarded: false,
      mostBodyBytes: 0,
      encodedSlash: 'keep',
      recordsAgents: false,
      logger: silentLogger,
      sweep: pool.sweep,
      timeouts: { headMs: 5_000, keepAliveMs: 5_000, clientMs: 5_000 },
      head: new RequestHead(),
      draining: false,
      forget: () => undefined,
    };
    const sockets = Array.from({ length: count }, () => new Socket());
    const entrypoint = { port: 80, secure: false };
    const bytes = bytesOf((at) => new Http1Connection(sockets[at] as Socket, entrypoint, context));
    expect(bytes).to.be.below(850);
  });
});
