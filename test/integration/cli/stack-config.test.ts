import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { refusedLabels, stackWith, takenLabels } from '../../../packages/cli/test/label-cases.ts';

// `docker stack config` reads the file alone and needs no engine. It came with Docker 25.
const clientScript = join(import.meta.dirname, '../../../scripts/setup/get-docker-client.sh');

describe('what `swarmgate check` takes and refuses in labels', () => {
  let directory: string;
  let docker: string;
  before(function () {
    this.timeout(300_000);
    const { status, stdout, stderr } = spawnSync(clientScript, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`no Docker client with \`docker stack config\`: ${stderr}`);
    docker = stdout.trim();
    directory = mkdtempSync(join(tmpdir(), 'stack-config-'));
  });
  after(() => {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  });

  function config(labels: string) {
    const file = join(directory, 'stack.yml');
    const head = 'version: "3.8"\n';
    writeFileSync(file, `${head}${stackWith(labels).replace('  web:\n', '  web:\n    image: web\n')}`);
    const env = { PATH: process.env.PATH, HOME: directory, HOST: 'h' };
    return spawnSync(docker, ['stack', 'config', '-c', file], { encoding: 'utf8', env });
  }

  for (const [labels, values] of takenLabels) {
    it(`docker takes ${JSON.stringify(labels.trim())} alike`, () => {
      const { status, stdout, stderr } = config(labels);
      expect(status, stderr).to.equal(0);
      const { web } = (parse(stdout) as { services: { web: { deploy?: { labels?: object } } } }).services;
      expect(web.deploy?.labels ?? {}).to.deep.equal(values);
    });
  }

  for (const [labels] of refusedLabels) {
    it(`docker refuses ${JSON.stringify(labels.trim())} too`, () => {
      expect(config(labels).status).not.to.equal(0);
    });
  }
});
