import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSettings } from '@swarmgate/runtime';
import { familiesOf } from '@swarmgate/swarm-listener';
import { expect } from 'chai';
import { desiredServices } from '../../packages/cli/src/compose/desired-services.ts';
import { readCompose } from '../../packages/cli/src/compose/read-compose.ts';
import { root } from '../architecture/imports.ts';
import { docsPages, fencesIn, yamlInDocs } from './yaml-in-docs.ts';

const settings = readSettings('cli', { env: {}, secretsDir: '/nonexistent' });

/** As `swarmgate check`, with the line of the page. */
function problemsOf(page: string, text: string, firstLine: number): readonly string[] {
  const stack = readCompose(page, text, { OAUTH2_PROXY_IMAGE: 'oauth2-proxy' });
  const services = desiredServices(stack, {
    stack: 'docs',
    notifyLabel: settings.notifyLabel,
    serviceNamePrefix: '',
    separator: ',',
    owner: 'swarm',
    nowMs: 1,
    ...familiesOf(settings),
  });
  return services.flatMap(({ problems }) =>
    problems.map(({ message, position }) => `${page}:${firstLine + position.line - 1}: ${message}`),
  );
}

describe('YAML in README and docs', () => {
  const { stacks, labels, others } = yamlInDocs();

  it('is stack files and lists of labels', () => {
    expect(stacks.length).to.be.greaterThan(8);
    expect(labels.length).to.be.greaterThan(4);
    expect(others.map(({ page, line }) => `${page}:${line}`)).to.deep.equal([]);
  });

  for (const { page, line, text } of stacks)
    it(`${page}:${line}: \`swarmgate check\` finds nothing wrong with the stack`, () => {
      expect(problemsOf(page, text, line)).to.deep.equal([]);
    });

  for (const { page, line, text } of labels)
    it(`${page}:${line}: \`swarmgate check\` finds nothing wrong with the labels`, () => {
      const own = ['com.df.notify=true', 'com.df.serviceDomain=shop.example', 'com.df.port=8080'];
      const list = [...own.map((label) => `- ${label}`), ...text.trimEnd().split('\n')].map(
        (each) => `        ${each}`,
      );
      const stack = `services:\n  web:\n    deploy:\n      labels:\n${list.join('\n')}\n`;
      expect(problemsOf(page, stack, line - 4 - own.length)).to.deep.equal([]);
    });
});

describe('commands in README and docs', () => {
  it('name stack files that exist', () => {
    const named = docsPages().flatMap((page) =>
      fencesIn(page, ['sh', 'shell', 'bash', '']).flatMap(({ text }) =>
        [...text.matchAll(/(?:-c|--compose-file) (docker\/[\w.-]+)/g)].map(([, file = '']) => ({ page, file })),
      ),
    );
    expect(named.length).to.be.greaterThan(3);
    expect(named.filter(({ file }) => !existsSync(join(root, file)))).to.deep.equal([]);
  });

  it('are shown by pages that are read', () => {
    expect(docsPages().map((page) => readFileSync(join(root, page), 'utf8').length)).to.not.include(0);
  });
});
