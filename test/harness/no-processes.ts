// Required by test/mocharc.unit.json. A test that starts processes takes seconds and disturbs its neighbours: it belongs to
// the integration suite, which also runs every `*.process.test.ts` beside the code.
import { ChildProcess } from 'node:child_process';

// Not in Node's documentation, but every asynchronous way to start a process ends here: spawn, exec, fork, node:cluster.
const prototype = ChildProcess.prototype as unknown as { spawn: (options: { readonly file?: string }) => unknown };
const { spawn } = prototype;

export const mochaHooks = {
  beforeAll() {
    prototype.spawn = ({ file }) => {
      throw new Error(`a unit test starts a process (${file}): name the test file *.process.test.ts`);
    };
  },
  afterAll() {
    prototype.spawn = spawn;
  },
};
