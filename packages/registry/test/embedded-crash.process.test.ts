import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createRegistry } from '../src/create-registry.ts';
import { openEmbeddedStore } from '../src/store/embedded-store.ts';

const writer = fileURLToPath(new URL('crash-writer.ts', import.meta.url));

describe('the embedded registry after kill -9 in the middle of writing', () => {
  let dataDir: string;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-crash-'));
  });

  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  /** Runs the writer until it has acknowledged `count` publications, kills it, and returns the last one. */
  async function writeAndKill(count: number): Promise<number> {
    const child = spawn(process.execPath, [writer, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    let acknowledged = 0;
    let seen = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Number(line);
      seen += 1;
      if (seen === count) child.kill('SIGKILL');
    }
    await exited;
    return acknowledged;
  }

  it('opens without help, has all that was acknowledged, and nothing by halves', async function () {
    this.timeout(30_000);
    for (const count of [1, 7, 40]) {
      const acknowledged = await writeAndKill(count);
      expect(acknowledged).to.be.greaterThan(0);
      const store = openEmbeddedStore({ dataDir });
      try {
        const registry = createRegistry({ store, instance: 'swarmgate' });
        const read = await registry.read(AbortSignal.timeout(20_000));
        if (read.kind !== 'snapshot') throw new Error('the head is missing');
        const { services, sequence } = read.snapshot;
        expect(sequence).to.be.within(acknowledged, acknowledged + 1);
        const ports = ['swarm/one', 'swarm/two'].map((key) => {
          const stored = services.get(key as 'swarm/one');
          return stored?.ok ? stored.document.destinations[0]?.port : undefined;
        });
        // The writer's port is its sequence, so documents and journal must be of the same transaction.
        expect(ports).to.deep.equal([sequence, sequence]);
      } finally {
        await store.close();
      }
    }
  });
});
