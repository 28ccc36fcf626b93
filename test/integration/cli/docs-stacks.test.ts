import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { yamlInDocs } from '../../docs/yaml-in-docs.ts';

const root = join(import.meta.dirname, '../../..');
const clientScript = join(root, 'scripts/setup/get-docker-client.sh');
const env = {
  OAUTH2_PROXY_IMAGE: 'oauth2-proxy',
};

interface Stack {
  readonly services: Readonly<Record<string, { readonly image?: string } | null>>;
}

// `docker stack config` reads the files alone and needs no engine. What `swarmgate check` finds in them: test/docs.
describe('stack files in README and docs', () => {
  let directory: string;
  let docker: string;
  before(function () {
    this.timeout(300_000);
    const { status, stdout, stderr } = spawnSync(clientScript, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`no Docker client with \`docker stack config\`: ${stderr}`);
    docker = stdout.trim();
    directory = mkdtempSync(join(tmpdir(), 'docs-stacks-'));
  });
  after(() => {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  });

  for (const { page, line, text } of yamlInDocs().stacks)
    it(`${page}:${line}: Docker takes it`, () => {
      const file = join(directory, 'stack.yml');
      writeFileSync(file, text);
      // One that changes a service of docker/stack.yml is deployed on top of it.
      const { proxy } = (parse(text) as Stack).services;
      const below = proxy !== undefined && proxy?.image === undefined ? ['-c', join(root, 'docker/stack.yml')] : [];
      const own = { PATH: process.env.PATH, HOME: directory, ...env };
      const { status, stdout, stderr } = spawnSync(docker, ['stack', 'config', ...below, '-c', file], {
        encoding: 'utf8',
        env: own,
      });
      expect(status, stderr).to.equal(0);
      const { services } = parse(stdout) as Stack;
      const withoutImage = Object.entries(services).filter(([, service]) => service?.image === undefined);
      expect(withoutImage.map(([name]) => name)).to.deep.equal([]);
    });
});
