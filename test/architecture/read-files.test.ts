import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from './imports.ts';

/** Files that are opened without a look at what they are, by the file that does it. All others read by `readRegularFile`. */
const opened: Readonly<Record<string, string>> = {
  'cli/src/commands/changes.ts': 'an argument of a command: it may be a pipe',
  'cli/src/commands/maintenance.ts': 'a file that the command wrote itself',
  'cli/src/commands/read-certificates.ts': 'an argument of a command',
  'cli/src/commands/read-stack.ts': 'an argument of a command: it may be a pipe',
  'cli/src/serve/sample-services.ts': 'its own file',
  'console/src/console-files.ts': 'its own files',
  'proxy/src/control/admin/openapi-route.ts': 'its own file',
  'proxy/src/control/replica-identity.ts': 'its own file',
  'proxy/src/control/serving/tracing.ts': 'its own file',
  'proxy/src/control/watch/snapshot-file.ts': 'the proxy’s own file in DATA_DIR, read line by line',
  'proxy/src/endpoints/name-resolution.ts': '/etc/hosts',
  'proxy/src/endpoints/own-networks.ts': '/proc',
  'proxy/src/express/plugins/block-watch-thread.ts': '/proc',
  'registry/src/store/embedded-store.ts': 'the store’s own file in DATA_DIR',
  'runtime/src/container-memory.ts': 'the kernel’s files',
  'runtime/src/descriptors.ts': 'the kernel’s files',
};

const opening = /(?<![#\w])(?:readFile|readFileSync|createReadStream)\(/;

describe('files that settings name', () => {
  it('are read as regular files: a FIFO in the place of one would hold up the process', () => {
    const folder = join(root, 'packages');
    const files = globSync('*/src/**/*.ts', { cwd: folder }).filter((file) => !file.endsWith('.test.ts'));
    const found = files.filter((file) => opening.test(readFileSync(join(folder, file), 'utf8'))).sort();
    expect(found).to.deep.equal(Object.keys(opened).sort());
  });
});
