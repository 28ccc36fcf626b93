import { randomBytes } from 'node:crypto';
import { digestOf, isFollowed } from './acme-keys.ts';
import type { AcmeHead, ChallengeResponse } from './documents.ts';

/** How far a replica has come: `<head id>:<revision>`. */
export type HeadMark = `${string}:${number}`;

export function markOf({ id, revision }: Pick<AcmeHead, 'id' | 'revision'>): HeadMark {
  return `${id}:${revision}`;
}

/** Whether a replica that reported `mark` serves what was written at `required`. */
export function hasReached(mark: string | undefined, required: HeadMark): boolean {
  const [id, revision] = required.split(':');
  const [ownId, ownRevision] = mark?.split(':') ?? [];
  return ownId === id && Number(ownRevision) >= Number(revision);
}

/** A head that lists documents which are there already: the former one was lost or cannot be read. */
export function newHead(documents: ReadonlyMap<string, string> = new Map()): AcmeHead {
  const empty: AcmeHead = { version: 1, id: randomBytes(6).toString('hex'), revision: 0, documents: {}, answers: [] };
  return headAfter(empty, { documents });
}

/** What one write does: documents by key below `acme/`, `undefined` removes; responses by name. */
export interface AcmeChange {
  readonly documents?: ReadonlyMap<string, string | undefined>;
  readonly addResponses?: readonly ChallengeResponse[];
  /** Names whose responses are taken back. */
  readonly removeResponsesOf?: readonly string[];
}

/** The head after a change; the same object where nothing changes for replicas. */
export function headAfter(
  head: AcmeHead,
  { documents, addResponses = [], removeResponsesOf = [] }: AcmeChange,
): AcmeHead {
  const listed = { ...head.documents };
  let changed = false;
  for (const [key, value] of documents ?? []) {
    if (!isFollowed(key)) continue;
    const digest = value === undefined ? undefined : digestOf(value);
    if (listed[key] === digest) continue;
    changed = true;
    if (digest === undefined) delete listed[key];
    else listed[key] = digest;
  }
  const gone = new Set(removeResponsesOf);
  const added = addResponses.filter((each) => !head.answers.some((known) => sameResponse(known, each)));
  const kept = head.answers.filter(({ name }) => !gone.has(name));
  if (!changed && added.length === 0 && kept.length === head.answers.length) return head;
  return { ...head, revision: head.revision + 1, documents: listed, answers: [...kept, ...added] };
}

function sameResponse(one: ChallengeResponse, other: ChallengeResponse): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
