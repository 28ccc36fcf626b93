import { UsageError } from '@swarmgate/runtime';
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLParseError } from 'yaml';
import { interpolate } from './interpolate.ts';

export interface Position {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** A service of a stack file with the labels that Swarm will show. */
export interface ComposeService {
  /** As the file names it; Swarm puts `<stack>_` before it. */
  readonly name: string;
  readonly position: Position;
  readonly labels: ReadonlyMap<string, string>;
  /** Where each label stands, for messages that point at it. */
  readonly labelPositions: ReadonlyMap<string, Position>;
  /** Labels of the containers that look like ours: `deploy.labels` was meant. */
  readonly misplacedLabels: readonly string[];
  readonly isGlobal: boolean;
  readonly replicas: number;
}

export interface ComposeFile {
  /** The top-level `name`, where there is one. */
  readonly name: string | undefined;
  readonly services: ReadonlyMap<string, ComposeService>;
}

/**
 * Reads the services and `deploy.labels` of one stack file (compose syntax; labels as a map or as a list of `name=value`).
 * @throws UsageError `compose-invalid` with the file, the line and the parser's reason.
 */
export function readCompose(
  file: string,
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): ComposeFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true });
  const [error] = document.errors;
  if (error !== undefined) {
    throw new UsageError('compose-invalid', `${file}:${error.linePos?.[0].line ?? 1}: ${faultOf(error)}`, {
      cause: error,
    });
  }
  const at = (node: unknown): Position => {
    const offset = (node as Node | null)?.range?.[0] ?? 0;
    return { file, line: lines.linePos(offset).line };
  };
  const root = document.toJS() as Record<string, unknown> | null;
  const listed = document.get('services', true);
  if (root === null || !isMap(listed)) {
    throw new UsageError('compose-invalid', `${file}: no "services" at the top: is it a stack file?`);
  }

  const services = new Map<string, ComposeService>();
  for (const pair of listed.items) {
    const name = String(isScalar(pair.key) ? pair.key.value : pair.key);
    const plain = ((root.services as Record<string, unknown>)[name] ?? {}) as PlainService;
    const labels = new Map<string, string>();
    for (const [label, value] of labelEntries(plain.deploy?.labels)) labels.set(label, interpolate(value, env));
    const node = document.getIn(['services', name, 'deploy', 'labels'], true);
    services.set(name, {
      name,
      position: at(pair.key),
      labels,
      labelPositions: positions(node, at),
      misplacedLabels: labelEntries(plain.labels)
        .map(([label]) => label)
        .filter((label) => label.startsWith('com.df.')),
      isGlobal: plain.deploy?.mode === 'global',
      replicas: plain.deploy?.replicas ?? 1,
    });
  }
  return { name: typeof root.name === 'string' ? root.name : undefined, services };
}

/** The parser's sentence without the place, which stands before it. */
function faultOf({ code, message }: YAMLParseError): string {
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here (---): a stack file is one document';
  return (message.split('\n')[0] ?? message).replace(/ at line \d+, column \d+:?$/, '');
}

/** Later files win, label by label, as `docker stack deploy -c a.yml -c b.yml` has it. */
export function mergeCompose(files: readonly ComposeFile[]): ComposeFile {
  const services = new Map<string, ComposeService>();
  let name: string | undefined;
  for (const file of files) {
    name = file.name ?? name;
    for (const [key, service] of file.services) {
      const before = services.get(key);
      services.set(
        key,
        before === undefined
          ? service
          : {
              ...service,
              labels: new Map([...before.labels, ...service.labels]),
              labelPositions: new Map([...before.labelPositions, ...service.labelPositions]),
              misplacedLabels: [...before.misplacedLabels, ...service.misplacedLabels],
            },
      );
    }
  }
  return { name, services };
}

interface PlainService {
  readonly labels?: unknown;
  readonly deploy?: { readonly labels?: unknown; readonly mode?: string; readonly replicas?: number };
}

function labelEntries(labels: unknown): readonly (readonly [string, string])[] {
  if (Array.isArray(labels)) {
    return labels.map((entry) => {
      const text = String(entry);
      const equals = text.indexOf('=');
      return equals === -1 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
    });
  }
  if (labels === null || typeof labels !== 'object') return [];
  return Object.entries(labels).map(([label, value]) => [label, value === null ? '' : String(value)]);
}

function positions(node: unknown, at: (node: unknown) => Position): ReadonlyMap<string, Position> {
  const found = new Map<string, Position>();
  if (isMap(node)) {
    for (const pair of node.items) found.set(String(isScalar(pair.key) ? pair.key.value : pair.key), at(pair.key));
  } else if (isSeq(node)) {
    for (const item of node.items) {
      if (isScalar(item)) found.set(String(item.value).split('=')[0] ?? '', at(item));
    }
  }
  return found;
}
