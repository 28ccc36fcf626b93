import type { Problem, ProblemReason } from '@swarmgate/labels';
import { readYaml } from '@swarmgate/labels/traefik';
import { UsageError } from '@swarmgate/runtime/errors';
import { type Document, isMap, isSeq, type Scalar, type YAMLMap } from 'yaml';
import type { DesiredService } from './desired-services.ts';
import { labelsOfDefinition } from './labels-of-definition.ts';

export interface ConvertedStack {
  readonly text: string;
  /** What the file requests and the converted one does not. */
  readonly unsaid: readonly Remark[];
  /** What has no effect in Traefik either, or is read otherwise than written. */
  readonly warnings: readonly Remark[];
}

export interface Remark {
  /** As the file names it. */
  readonly service: string;
  readonly what: string;
}

/**
 * A stack file with `com.df.*` labels in place of its `traefik.*` labels, all else as it was. Services that nothing is served of lose
 * their labels of Traefik and get none.
 */
export function convertStack(text: string, services: readonly DesiredService[]): ConvertedStack {
  const read = readYaml(text);
  if (!read.ok) throw new UsageError('compose-invalid', read.fault.message);
  const { document } = read.yaml;
  const unsaid: Remark[] = [];
  const warnings: Remark[] = [];
  const labelled = document.get('services');
  for (const { composeName: service, definition, problems } of services) {
    const misplaced = problems.filter(({ reason }) => reason === 'label-misplaced');
    for (const { message, suggestion } of misplaced)
      unsaid.push({
        service,
        what: remark({ message: `not converted: ${message}`, ...(suggestion === undefined ? {} : { suggestion }) }),
      });
    const written = definition === undefined ? undefined : labelsOfDefinition(definition);
    const place = ['services', service, 'deploy', 'labels'];
    if (!isMap(labelled) || !hasTraefikLabels(document, place)) continue;
    replaceLabels(document, place, written?.labels ?? new Map());
    for (const problem of problems) {
      // A router that such a middleware closes is among what `written` has no label for.
      if (problem.reason === 'label-misplaced' || problem.reason === 'middleware-unusable') continue;
      const isLost = problem.severity === 'error' || isNotServed.has(problem.reason);
      (isLost ? unsaid : warnings).push({ service, what: remark(problem) });
    }
    for (const what of written?.unsaid ?? []) unsaid.push({ service, what });
  }
  return { text: document.toString({ lineWidth: 0 }), unsaid, warnings };
}

/** Reasons of warnings by which nothing is served of a service or of one of its routers. */
const isNotServed: ReadonlySet<ProblemReason> = new Set([
  'traefik-not-enabled',
  'tls-at-plain-entrypoint',
  'tcp-router-unsupported',
  'udp-unsupported',
]);

function remark({ message, suggestion }: Pick<Problem, 'message' | 'suggestion'>): string {
  return suggestion === undefined ? message : `${message} → ${suggestion}`;
}

const ofTraefik = /^traefik\./i;

function hasTraefikLabels(document: Document, place: readonly string[]): boolean {
  const node = document.getIn(place, true);
  if (isMap(node)) return node.items.some(({ key }) => ofTraefik.test(String(key)));
  return isSeq(node) && node.items.some((item) => ofTraefik.test(String(item)));
}

/**
 * Text in YAML 1.2 that is a boolean, a number or a date in YAML 1.1 (https://yaml.org/type/), by which some versions of Docker read
 * files: `off` would be the label `false`.
 */
const otherInYaml11 = /^([yn]|yes|no|on|off|=|<<|[-+]?[\d_:.]+|[-+]?0b[01_]+|\d{4}-\d\d?-\d\d?.*)$/i;

function replaceLabels(document: Document, place: readonly string[], labels: ReadonlyMap<string, string>): void {
  const node = document.getIn(place, true);
  // Of the document's own copy of the parser: another one's is not written.
  const kept = document.createNode({}) as YAMLMap;
  const set = (name: string, value: string) => {
    const scalar = document.createNode(value) as Scalar;
    if (otherInYaml11.test(value)) scalar.type = 'QUOTE_DOUBLE';
    kept.set(name, scalar);
  };
  if (isMap(node)) for (const pair of node.items) if (!ofTraefik.test(String(pair.key))) kept.items.push(pair);
  if (isSeq(node))
    for (const item of node.items.map(String)) {
      const equals = item.indexOf('=');
      if (!ofTraefik.test(item))
        set(equals === -1 ? item : item.slice(0, equals), equals === -1 ? '' : item.slice(equals + 1));
    }
  // Docker interpolates the file: a dollar sign is written twice.
  for (const [name, value] of labels) set(name, value.replaceAll('$', '$$$$'));
  if (kept.items.length === 0) document.deleteIn(place);
  else document.setIn(place, kept);
}
