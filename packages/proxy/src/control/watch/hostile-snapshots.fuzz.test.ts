import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  completeDefinition,
  completeEndpoints,
  hostileRuns,
  hostileTexts,
  mutationsOf,
  textOf,
} from '@swarmgate/registry/test/hostile-documents';
import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { definition, endpoints } from '../../../test/registered.ts';
import { readSnapshotFile, SnapshotFileError } from './snapshot-file.ts';

const seed = 20_261_129;
const runs = hostileRuns.snapshots;
const { linesOfOne } = runs;

const head = {
  kind: 'swarmgate-snapshot',
  version: 1,
  instance: 'swarmgate',
  savedAtMs: 1_000,
  registryId: 'r1',
  revision: 'r1:7',
  sequence: 7,
};
const hostile = {
  definition: completeDefinition('swarm', 'hostile'),
  endpoints: completeEndpoints('swarm', 'hostile'),
  maintenance: {
    version: 1,
    owner: 'swarm',
    service: 'hostile',
    maintenance: { by: 'ann', since: '2026-01-02T03:04:05.000Z', retryAfterMs: 60_000, except: ['10.0.0.0/8'] },
  },
};
const neighbour = (name: string) =>
  JSON.stringify({ definition: definition(`swarm/${name}`), endpoints: endpoints(`swarm/${name}`) });

/** With the checksum that fits: what is spoilt was written so. */
function fileOf(lines: readonly string[]): string {
  const text = lines.map((line) => `${line}\n`).join('');
  return `${text}${JSON.stringify({ sha256: createHash('sha256').update(text).digest('hex') })}\n`;
}

/** One line: what no reader of lines takes apart. */
const isLine = (text: string | undefined): text is string => text !== undefined && !/[\r\n\u2028\u2029]/.test(text);

describe('a snapshot on disk, whatever stands in it', function () {
  this.timeout(120_000);
  let directory: string;
  let path: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmgate-hostile-snapshots-'));
    path = join(directory, 'snapshot.jsonl');
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it('gives every service that is beside a spoilt line', async () => {
    const lines = fc.array(
      fc.oneof(
        { weight: 50, arbitrary: mutationsOf(hostile).map(textOf).filter(isLine) },
        { weight: 2, arbitrary: fc.constantFrom(...hostileTexts.filter(isLine)) },
      ),
      { minLength: linesOfOne, maxLength: linesOfOne },
    );
    let served = 0;
    await fc.assert(
      fc.asyncProperty(lines, async (spoilt) => {
        const between = spoilt.flatMap((line, at) => [line, neighbour(`beside-${at}`)]);
        await writeFile(path, fileOf([JSON.stringify(head), ...between]));
        const read = await readSnapshotFile(path, 'swarmgate');
        const found = new Map(read?.services.map((each) => [each.key, each]));
        for (const at of spoilt.keys()) {
          const key = `swarm/beside-${at}` as const;
          expect(found.get(key)?.definition).to.deep.equal(definition(key));
          expect(found.get(key)?.endpoints).to.deep.equal(endpoints(key));
        }
        served += Number(found.has('swarm/hostile'));
      }),
      fuzzRuns(runs.files, seed),
    );
    expect(served).to.be.greaterThan(runs.files / 2);
  });

  it('is read, of another instance, or refused by name, whatever its head', async () => {
    const heads = fc.oneof(
      { weight: 50, arbitrary: mutationsOf(head).map(textOf).filter(isLine) },
      { weight: 1, arbitrary: fc.constantFrom(...hostileTexts.filter(isLine)) },
    );
    await fc.assert(
      fc.asyncProperty(heads, async (first) => {
        await writeFile(path, fileOf([first, neighbour('beside')]));
        try {
          const read = await readSnapshotFile(path, 'swarmgate');
          if (read !== undefined) expect(read.services.map(({ key }) => key)).to.deep.equal(['swarm/beside']);
        } catch (error) {
          expect(error).to.be.instanceOf(SnapshotFileError);
        }
      }),
      fuzzRuns(runs.heads, seed),
    );
  });
});
