import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, isSeq, parseDocument } from 'yaml';
import { root } from '../architecture/imports.ts';

/** A fenced block of a page. */
export interface Fence {
  readonly page: string;
  /** Of its first line of content, from 1. */
  readonly line: number;
  readonly text: string;
}

export interface YamlInDocs {
  /** Whole stack files: a map with `services`. */
  readonly stacks: readonly Fence[];
  /** Lists of labels, as they stand in `deploy.labels`. */
  readonly labels: readonly Fence[];
  /** Anything else, which no test reads. */
  readonly others: readonly Fence[];
}

/** The pages for users. */
export function docsPages(): readonly string[] {
  return globSync(['*.md', 'docs/*.md', 'examples/*.md', 'examples/*/*.md', 'packages/*/README.md'], { cwd: root })
    .filter((page) => page !== 'CHANGELOG.md')
    .sort();
}

/** @param languages as they stand behind the fence; `''`: a fence without one */
export function fencesIn(page: string, languages: readonly string[]): readonly Fence[] {
  const lines = readFileSync(join(root, page), 'utf8').split('\n');
  const found: Fence[] = [];
  let opened: { readonly at: number; readonly indent: string; readonly language: string } | undefined;
  for (const [at, line] of lines.entries()) {
    const [, indent = '', language = ''] = /^( *)```(\S*)\s*$/.exec(line) ?? [];
    if (!/^ *```/.test(line)) continue;
    if (opened === undefined) {
      opened = { at, indent, language };
      continue;
    }
    const { at: from, indent: inner } = opened;
    const text = lines.slice(from + 1, at).map((each) => (each.startsWith(inner) ? each.slice(inner.length) : each));
    if (languages.includes(opened.language)) found.push({ page, line: from + 2, text: `${text.join('\n')}\n` });
    opened = undefined;
  }
  return found;
}

export function yamlInDocs(): YamlInDocs {
  const sorted = { stacks: [] as Fence[], labels: [] as Fence[], others: [] as Fence[] };
  for (const fence of docsPages().flatMap((page) => fencesIn(page, ['yaml', 'yml']))) {
    const { contents } = parseDocument(fence.text);
    if (isMap(contents) && contents.has('services')) sorted.stacks.push(fence);
    else if (isSeq(contents) && fence.text.includes('com.df.')) sorted.labels.push(fence);
    else sorted.others.push(fence);
  }
  return sorted;
}
