import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  contendForLeadership,
  createConsulStore,
  createRegistry,
  type KeyValueStore,
  keyLayout,
  type Leadership,
} from '@swarmgate/registry';
import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { definitionOf } from '../../../packages/registry/test/sample-definition.ts';
import { type RunningConsul, startConsul } from '../../harness/consul.ts';
import { until } from '../../harness/until.ts';

const childFile = fileURLToPath(new URL('leader-process.ts', import.meta.url));
const layout = keyLayout('edge');

describe('leadership in a Consul that was away', function () {
  this.timeout(90_000);

  it('is taken back as soon as Consul responds, without waiting for its own silence', async () => {
    const consul = await startConsul();
    const store = createConsulStore({ address: consul.address });
    const leadership = contendForLeadership({
      store,
      key: layout.leader('swarm'),
      heartbeatKey: layout.leaderHeartbeat('swarm'),
      name: 'alone',
      logger: silentLogger,
    });
    try {
      await until('it leads', () => leadership.state().kind === 'leading');
      await consul.stop();
      await until('it knows', () => leadership.state().kind === 'standby');
      await consul.start();
      const began = performance.now();
      await until('it leads again', () => leadership.state().kind === 'leading');
      const tookMs = performance.now() - began;
      console.log(`      leads again ${Math.round(tookMs)} ms after Consul responds`);
      // The session is still there, and would be for ten seconds and more.
      expect(tookMs).to.be.lessThan(7_500);
    } finally {
      await leadership.stop();
      await store.close();
      await consul.remove();
    }
  });
});

describe('leadership in Consul, with the real times', function () {
  this.timeout(90_000);
  let consul: RunningConsul;
  let store: KeyValueStore;
  let child: ChildProcess;
  let said: string[];
  let standby: Leadership | undefined;

  before(async () => {
    consul = await startConsul();
  });

  after(() => consul.remove());

  beforeEach(async () => {
    store = createConsulStore({ address: consul.address });
    said = [];
    child = spawn(process.execPath, [childFile, consul.address], { stdio: ['ignore', 'pipe', 'ignore'] });
    if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', (line) => said.push(line));
    await until('the child leads and publishes', () => said.includes('published'));
    standby = contendForLeadership({
      store,
      key: layout.leader('swarm'),
      heartbeatKey: layout.leaderHeartbeat('swarm'),
      name: 'standby',
      logger: silentLogger,
    });
  });

  afterEach(async () => {
    const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await exited;
    await standby?.stop();
    await store.close();
  });

  async function takenOverWithin(): Promise<number> {
    const began = performance.now();
    await until('the standby leads', () => standby?.state().kind === 'leading', { withinMs: 30_000 });
    return performance.now() - began;
  }

  it('replaces a killed leader within 15 s', async () => {
    expect(standby?.state().kind).to.equal('standby');
    child.kill('SIGKILL');
    const tookMs = await takenOverWithin();
    console.log(`      replaced after ${Math.round(tookMs)} ms`);
    expect(tookMs).to.be.lessThan(15_000);
  });

  it('replaces a paused leader within 15 s, and refuses what it writes when it wakes up', async () => {
    child.kill('SIGSTOP');
    const tookMs = await takenOverWithin();
    console.log(`      replaced after ${Math.round(tookMs)} ms`);
    expect(tookMs).to.be.lessThan(15_000);
    const registry = createRegistry({ store, instance: 'edge' });
    const state = standby?.state();
    if (state?.kind !== 'leading') throw new Error('the standby does not lead');
    const document = definitionOf('swarm', 'child', 60_000);
    await registry.publish([{ owner: 'swarm', service: 'child', definition: { document } }], {
      by: 'standby',
      fence: state.fence,
      signal: AbortSignal.timeout(10_000),
    });
    const before = await store.get(layout.documentKey('services', 'swarm/child'));
    child.kill('SIGCONT');
    await until('the former leader knows', () => said.at(-1) === 'standby' || said.includes('refused leadership-lost'));
    expect(await store.get(layout.documentKey('services', 'swarm/child'))).to.deep.equal(before);
    expect(standby?.state().kind).to.equal('leading');
  });
});
