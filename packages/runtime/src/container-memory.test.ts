import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { containerMemory } from './container-memory.ts';

/** What the kernel shows, file by file under `/sys/fs/cgroup`, and the memory that is found by it. */
const cases: readonly (readonly [
  string,
  string,
  Readonly<Record<string, string>>,
  readonly [number, number] | undefined,
])[] = [
  [
    'version 2, in a container',
    '0::/\n',
    { 'memory.max': '1000\n', 'memory.current': '700\n', 'memory.stat': 'anon 500\ninactive_file 100\n' },
    [600, 1_000],
  ],
  [
    'version 2, without a limit',
    '0::/\n',
    { 'memory.max': 'max\n', 'memory.current': '700\n', 'memory.stat': '' },
    undefined,
  ],
  [
    'version 2, a group above is nearer to its limit',
    '0::/stack/proxy\n',
    {
      'stack/proxy/memory.max': '1000\n',
      'stack/proxy/memory.current': '100\n',
      'stack/memory.max': '2000\n',
      'stack/memory.current': '1900\n',
    },
    [1_900, 2_000],
  ],
  [
    'version 1, beside a second version without controllers',
    '4:memory:/docker/a\n0::/docker/a\n',
    {
      'memory/docker/a/memory.limit_in_bytes': '1000\n',
      'memory/docker/a/memory.usage_in_bytes': '900\n',
      'memory/docker/a/memory.stat': 'inactive_file 1\ntotal_inactive_file 50\n',
      'memory/memory.limit_in_bytes': '9223372036854771712\n',
      'memory/memory.usage_in_bytes': '5000\n',
    },
    [850, 1_000],
  ],
  [
    'version 1, in a container that sees the path of its host',
    '4:memory:/docker/a\n',
    { 'memory/memory.limit_in_bytes': '1000\n', 'memory/memory.usage_in_bytes': '900\n' },
    [900, 1_000],
  ],
  ['no control groups', '', {}, undefined],
];

describe('memory of a container', () => {
  for (const [name, ofProcess, files, expected] of cases)
    it(name, () => {
      const folder = mkdtempSync(join(tmpdir(), 'swarmgate-groups-'));
      try {
        for (const [file, text] of Object.entries({ ...files, '../process': ofProcess })) {
          const path = join(folder, 'groups', file);
          mkdirSync(dirname(path), { recursive: true });
          writeFileSync(path, text);
        }
        const found = containerMemory({ root: join(folder, 'groups'), ofProcess: join(folder, 'process') });
        expect(found && [found.usedBytes, found.limitBytes]).to.deep.equal(expected);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
});
