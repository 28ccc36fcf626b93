import { isDeepStrictEqual } from 'node:util';
import {
  type EndpointsDocument,
  isSameDefinition,
  type Problem,
  type ServiceChange,
  type ServiceDefinition,
} from '@swarmgate/registry';
import type { RegisteredService } from './registered-services.ts';

/** The desired documents of one service, ready to be written. */
export interface DesiredService {
  readonly name: string;
  /** Absent: its labels are invalid, and the registered definition stays. */
  readonly definition?: ServiceDefinition;
  /** There is none, and the registered one goes. */
  readonly withdrawn?: true;
  readonly endpoints: EndpointsDocument;
  readonly problems: readonly Problem[];
}

export interface Desired {
  readonly owner: string;
  readonly services: ReadonlyMap<string, DesiredService>;
  /** Names to compare; `all` also finds registered services that are no longer desired. */
  readonly scope: 'all' | ReadonlySet<string>;
}

/**
 * The difference between desired and registered, for one owner. An equal document is not written; an invalid definition
 * leaves the registered one in place and only its problems are written; a service that is registered and not desired is
 * removed. Pure.
 *
 * @param written definitions as this listener last wrote them. Where one still equals the desired one, a registered
 * definition that differs is a manual edit, and stays until the service changes.
 */
export function planPublication(
  desired: Desired,
  present: ReadonlyMap<string, RegisteredService>,
  written: ReadonlyMap<string, ServiceDefinition>,
): readonly ServiceChange[] {
  const names = desired.scope === 'all' ? new Set([...desired.services.keys(), ...present.keys()]) : desired.scope;
  const changes: ServiceChange[] = [];
  for (const name of names) {
    const required = desired.services.get(name);
    const now = present.get(name);
    const change = required === undefined ? removal(now) : difference(required, now, written.get(name));
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
  required: DesiredService,
  now: RegisteredService | undefined,
  written: ServiceDefinition | undefined,
): Change | undefined {
  const change: { -readonly [K in keyof Change]: Change[K] } = {};
  const { definition } = required;
  if (required.withdrawn === true) return withdrawal(required, now);
  if (definition !== undefined && !isSettled(definition, now?.definition, written)) {
    change.definition = { document: definition };
  }
  // Addresses without a definition serve no route.
  const isDefined = definition !== undefined || now?.definition !== undefined;
  if (isDefined && !isDeepStrictEqual(now?.endpoints, required.endpoints)) change.endpoints = required.endpoints;
  if (!isDeepStrictEqual(now?.problems ?? [], required.problems)) {
    change.labelProblems = required.problems.length === 0 ? null : required.problems;
  }
  return Object.keys(change).length === 0 ? undefined : change;
}

/** As the removal of a service, but its problems stay. */
function withdrawal(required: DesiredService, now: RegisteredService | undefined): Change | undefined {
  const isReported = isDeepStrictEqual(now?.problems ?? [], required.problems);
  const change = {
    ...(now?.definition === undefined ? {} : { definition: { document: null } }),
    ...(now?.endpoints === undefined ? {} : { endpoints: null }),
    ...(isReported ? {} : { labelProblems: required.problems.length === 0 ? null : required.problems }),
  };
  return Object.keys(change).length === 0 ? undefined : change;
}

function isSettled(
  required: ServiceDefinition,
  now: RegisteredService['definition'],
  written: ServiceDefinition | undefined,
): boolean {
  if (now === undefined || now === 'uncertain') return false;
  return isSameDefinition(required, now) || (written !== undefined && isSameDefinition(required, written));
}
