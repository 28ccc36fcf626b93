import type { KeyLayout, Operation } from '@swarmgate/registry';
import { ownerOf, serviceOf } from '../watch/served-services.ts';
import type { ProblemsByService } from './collect-problems.ts';
import type { KeyProblemView } from './response-bodies.ts';

/** The documents of problems that the registry should hold: by key, the document as Consul's UI shows it. */
export function reportDocuments(
  problems: ProblemsByService,
  foreignKeys: readonly KeyProblemView[],
  layout: KeyLayout,
): ReadonlyMap<string, string> {
  const documents = new Map<string, string>();
  const write = (key: string, document: object) => documents.set(key, JSON.stringify(document, undefined, 2));
  for (const [key, ofOne] of problems)
    write(layout.routeProblemsKey(key), {
      version: 1,
      owner: ownerOf(key),
      service: serviceOf(key),
      problems: ofOne,
    });
  for (const foreign of foreignKeys) write(layout.keyProblemsKey(foreign.key), { version: 1, ...foreign });
  return documents;
}

/** The difference between what should stand there and what does. */
export function planReport(
  required: ReadonlyMap<string, string>,
  written: ReadonlyMap<string, string>,
): readonly Operation[] {
  const operations: Operation[] = [];
  for (const [key, value] of required) if (written.get(key) !== value) operations.push({ kind: 'set', key, value });
  for (const key of written.keys()) if (!required.has(key)) operations.push({ kind: 'delete', key });
  return operations;
}
