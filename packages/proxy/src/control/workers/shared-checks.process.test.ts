import type { ServiceKey } from '@swarmgate/registry';
import { readSettings, silentLogger, Tasks } from '@swarmgate/runtime';
import { expect } from 'chai';
import { until } from '../../../test/until.ts';
import { servedAt } from '../../../test/worker-rig.ts';
import { emptyTable } from '../serving/serving-table.ts';
import type { CheckedMessage } from './messages.ts';
import { SharedChecks } from './shared-checks.ts';

describe('active checks for all workers', () => {
  const key: ServiceKey = 'manual/web';
  let ended: AbortController;
  let running: Promise<void>;
  let reported: CheckedMessage[];
  let out: string[];
  let well: boolean;
  let nowMs: number;
  let checks: SharedChecks;

  beforeEach(() => {
    ended = new AbortController();
    [reported, out, well, nowMs] = [[], [], true, 0];
    checks = new SharedChecks({
      swarmName: 'swarm',
      subnets: () => [],
      signal: ended.signal,
      broadcast: (message) => reported.push(message),
      onOut: ({ id }) => out.push(id),
      checks: {
        check: async () => well,
        now: () => nowMs,
        // A second passes at each look.
        wait: (_ms, signal) =>
          new Promise((resolve) => {
            setImmediate(() => {
              nowMs += 1_000;
              resolve(!signal.aborted);
            });
          }),
      },
    });
    const served = servedAt(key, { port: 81, checkPath: '/health', checkIntervalMs: 1_000 });
    const table = emptyTable(readSettings('proxy', { env: { DATA_DIR: '/nowhere' } }));
    checks.apply(table.with(new Map([[key, served.definition]])), new Map([[key, served]]));
    running = checks.run(new Tasks({ logger: silentLogger }));
  });
  afterEach(async () => {
    ended.abort();
    await running;
  });

  const endpointId = '127.0.0.1:81';
  const looks = async (count: number) => {
    const target = nowMs + count * 1_000;
    await until(() => nowMs >= target, 'some looks');
  };

  it('report nothing for a healthy endpoint', async () => {
    await looks(5);
    expect(reported).to.deep.equal([]);
    expect(checks.failing()).to.deep.equal([]);
  });

  it('report each failure, also to workers that start, and the first success once', async () => {
    well = false;
    await until(() => reported.length >= 3, 'failures');
    const failure = { kind: 'checked', endpointId, passed: false };
    expect(reported.slice(0, 3)).to.deep.equal([failure, failure, failure]);
    expect(checks.failing()).to.deep.equal([failure]);
    expect(out).to.deep.equal([endpointId]);
    well = true;
    await until(() => reported.at(-1)?.passed === true, 'the success');
    await looks(3);
    expect(reported.filter(({ passed }) => passed)).to.have.length(1);
    expect(checks.failing()).to.deep.equal([]);
  });
});
