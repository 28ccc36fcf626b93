import { isDeepStrictEqual } from 'node:util';
import {
  type EndpointsDocument,
  type Problem,
  type ServiceChange,
  type ServiceDefinition,
  saysTheSame,
} from '@swarmgate/registry';
import type { RegisteredService } from './registered-services.ts';

/** What shall stand in the registry for one service, ready to be written. */
export interface DesiredService {
  readonly name: string;
  /** Absent: its labels reject it, and what stands there stays. */
  readonly definition?: ServiceDefinition;
  readonly endpoints: EndpointsDocument;
  readonly problems: readonly Problem[];
}

export interface Desired {
  readonly owner: string;
  readonly services: ReadonlyMap<string, DesiredService>;
  /** Names to look at; `all` also looks for what shall not be there any more. */
  readonly scope: 'all' | ReadonlySet<string>;
}

/**
 * Desired against registered, for one owner. A document that says the same is not written; a rejected definition
 * leaves the registered one alone and only its problems are written; whatever is registered and not desired goes.
 * Pure.
 *
 * @param written definitions as we wrote them last. Where one of them is still what we want, a registered one that
 * differs was edited by hand, and stays until the service changes.
 */
export function planPublication(
  desired: Desired,
  present: ReadonlyMap<string, RegisteredService>,
  written: ReadonlyMap<string, ServiceDefinition>,
): readonly ServiceChange[] {
  const names = desired.scope === 'all' ? new Set([...desired.services.keys(), ...present.keys()]) : desired.scope;
  const changes: ServiceChange[] = [];
  for (const name of names) {
    const wanted = desired.services.get(name);
    const now = present.get(name);
    const change = wanted === undefined ? removal(now) : difference(wanted, now, written.get(name));
    if (change !== undefined) changes.push({ owner: desired.owner, service: name, ...change });
  }
  return changes;
}

type Change = Pick<ServiceChange, 'definition' | 'endpoints' | 'labelProblems'>;

function removal(now: RegisteredService | undefined): Change | undefined {
  if (now === undefined) return undefined;
  return {
    ...(now.definition === undefined ? {} : { definition: { document: null } }),
    ...(now.endpoints === undefined ? {} : { endpoints: null }),
    ...(now.problems === undefined ? {} : { labelProblems: null }),
  };
}

function difference(
  wanted: DesiredService,
  now: RegisteredService | undefined,
  written: ServiceDefinition | undefined,
): Change | undefined {
  const change: { -readonly [K in keyof Change]: Change[K] } = {};
  const { definition } = wanted;
  if (definition !== undefined && !isSettled(definition, now?.definition, written)) {
    change.definition = { document: definition };
  }
  // Addresses without a definition lead nowhere.
  const isDefined = definition !== undefined || now?.definition !== undefined;
  if (isDefined && !isDeepStrictEqual(now?.endpoints, wanted.endpoints)) change.endpoints = wanted.endpoints;
  if (!isDeepStrictEqual(now?.problems ?? [], wanted.problems)) {
    change.labelProblems = wanted.problems.length === 0 ? null : wanted.problems;
  }
  return Object.keys(change).length === 0 ? undefined : change;
}

function isSettled(
  wanted: ServiceDefinition,
  now: RegisteredService['definition'],
  written: ServiceDefinition | undefined,
): boolean {
  if (now === undefined || now === 'uncertain') return false;
  return saysTheSame(wanted, now) || (written !== undefined && saysTheSame(wanted, written));
}
