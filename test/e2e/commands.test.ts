import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { fencesIn } from '../docs/yaml-in-docs.ts';
import { sharedStack } from './shared-stack.ts';

const run = promisify(execFile);
const page = 'packages/cli/README.md';
const root = join(import.meta.dirname, '../..');

describe('the operator’s commands in the deployed stack', () => {
  /** The shell function of the page, for the stack under test. */
  const functionText = () => {
    const [fence] = fencesIn(page, ['sh']).filter(({ text }) => text.includes('docker exec'));
    const [text = ''] = /^swarmgate\(\) \{[\s\S]*?^\}/m.exec(fence?.text ?? '') ?? [];
    expect(text).to.include('swarmgate_proxy');
    return text.replace('swarmgate_proxy', `${sharedStack().name}_proxy`);
  };

  it('run in a proxy’s container without a setting', async () => {
    const { stdout } = await run('sh', ['-c', `${functionText()}\nswarmgate status`]);
    expect(stdout)
      .to.match(/ready, version/)
      .and.include('consul');
    const explained = await run('sh', ['-c', `${functionText()}\nswarmgate explain http://nowhere.example/`]);
    expect(explained.stdout).to.include('no-route');
  });

  it('check a stack file in a container of their own', async () => {
    const command = /docker run --rm [^`]*swarmgate\/proxy:local check/.exec(
      readFileSync(join(root, page), 'utf8'),
    )?.[0];
    const tag = process.env.SWARMGATE_TAG ?? 'e2e';
    const line = `${command?.replace(':local', `:${tag}`)} stack.example.yml`;
    const { stdout } = await run('sh', ['-c', line], { cwd: join(root, 'docker') });
    expect(stdout).to.match(/0 errors, 0 warnings in \d services/);
  });
});
