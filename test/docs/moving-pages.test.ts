import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findLabel, translateParameters } from '@swarmgate/labels';
import { readSettings, settingsCatalogue } from '@swarmgate/runtime';
import { expect } from 'chai';
import { root } from '../architecture/imports.ts';

interface Row {
  /** What the other proxy has. */
  readonly there: string;
  readonly here: readonly string[];
  readonly note: readonly string[];
}

const settings = new Set<string>(Object.values(settingsCatalogue).flatMap(({ env }) => [...env]));

function rowsOf(page: string): readonly Row[] {
  const lines = readFileSync(join(root, 'docs', page), 'utf8').split('\n');
  return lines.flatMap((line) => {
    const [there, here, note, ...more] = line.replace(/^\| | \|$/g, '').split(' | ');
    if (!line.startsWith('| `') && !line.startsWith('| two')) return [];
    expect(more, line).to.deep.equal([]);
    return [{ there: there ?? '', here: spansOf(here ?? ''), note: spansOf(note ?? '') }];
  });
}

function spansOf(cell: string): readonly string[] {
  return [...cell.matchAll(/``(.+?)``(?!`)|`([^`]+)`/g)].map(([, double, single]) => double ?? single ?? '');
}

const labelsOf = (spans: readonly string[]) =>
  spans.flatMap((span) => {
    const [, name, value] = /^com\.df\.([^=]+)(?:=(.*))?$/.exec(span) ?? [];
    return name === undefined ? [] : [[name, value] as const];
  });

const settingsOf = (spans: readonly string[]) =>
  spans.flatMap((span) => {
    const [, name, value] = /^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|WORKERS|ORDER)(?:=(.*))?$/.exec(span) ?? [];
    return name === undefined ? [] : [[name, value] as const];
  });

for (const page of ['from-nginx.md', 'from-haproxy.md'])
  describe(`docs/${page}`, () => {
    const rows = rowsOf(page);

    it('has a table', () => expect(rows.length).to.be.greaterThan(40));

    for (const { there, here, note } of rows)
      it(`has labels and settings that are taken for ${there}`, () => {
        for (const [name] of labelsOf([...here, ...note])) expect(findLabel(name), name).to.not.equal(undefined);
        for (const [name, value] of settingsOf([...here, ...note])) {
          expect([...settings], name).to.include(name);
          if (value !== undefined) readSettings('proxy', { env: { [name]: value }, secretsDir: '/nonexistent' });
        }
        const given = Object.fromEntries(labelsOf(here).map(([name, value]) => [name, value ?? '']));
        const isRelayed = given.reqMode !== undefined;
        const { definition, problems } = translateParameters(
          { serviceName: 'web', port: '80', ...(isRelayed ? {} : { serviceDomain: 'shop.example' }), ...given },
          {
            owner: 'swarm',
            separator: ',',
            source: { kind: 'rest', by: 'a test' },
            updatedAt: '2026-01-02T03:04:05.000Z',
            nowMs: 1,
          },
        );
        expect(problems).to.deep.equal([]);
        expect(definition?.service).to.equal('web');
        // Nothing is in the middle cell but labels, settings and `none`.
        expect(labelsOf(here).length + settingsOf(here).length).to.equal(here.length);
      });
  });
