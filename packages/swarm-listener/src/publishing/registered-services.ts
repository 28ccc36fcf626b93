import type {
  EndpointsDocument,
  JournalPosition,
  Problem,
  RegistryChange,
  ServiceChange,
  ServiceDefinition,
  ServiceKey,
  Stored,
} from '@swarmgate/registry';

/** What the registry holds under this listener's owner, as last followed and written. Immutable. */
export type Registered =
  /** Not read yet: nothing can be planned. */
  | { readonly kind: 'unknown' }
  /** No registry exists yet, or it was lost: everything has to be written. */
  | { readonly kind: 'empty' }
  | RegisteredServices;

export interface RegisteredServices {
  readonly kind: 'known';
  readonly registryId: string;
  /** Journal sequence up to which changes were followed. */
  readonly sequence: number;
  /** As followed, by published name. */
  readonly followed: ReadonlyMap<string, RegisteredService>;
  /** Own writes that were not followed yet: without them a quick A, B, A would end at B. */
  readonly ahead: ReadonlyMap<string, { readonly sequence: number; readonly service: RegisteredService }>;
}

/** `uncertain`: the document cannot be parsed, or a write of it failed with an unknown result. */
export interface RegisteredService {
  readonly definition?: ServiceDefinition | 'uncertain';
  readonly endpoints?: EndpointsDocument | 'uncertain';
  readonly problems?: readonly Problem[] | 'uncertain';
}

/** The next state after one change of the registry. */
export function followRegistered(before: Registered, change: RegistryChange, owner: string): Registered {
  switch (change.kind) {
    case 'snapshot':
      return withoutFollowed(fromSnapshot(change, before, owner));
    case 'delta':
      return before.kind === 'known' ? withoutFollowed(withDelta(before, change, owner)) : before;
    case 'unreachable':
      return before;
    case 'head-missing':
      return { kind: 'empty' };
  }
}

/** After an own publication that ended there. Of a registry that is not followed yet, its snapshot shows what it holds. */
export function withOwnWrites(
  before: Registered,
  changes: readonly ServiceChange[],
  { registryId, sequence }: JournalPosition,
): Registered {
  if (before.kind !== 'known' || before.registryId !== registryId) return before;
  const ahead = new Map(before.ahead);
  if (sequence <= before.sequence) {
    // Nothing had to be written, or the change was followed already.
    for (const { service } of changes) ahead.delete(service);
    return { ...before, ahead };
  }
  const present = servicesOf(before);
  for (const { service, definition, endpoints, labelProblems } of changes) {
    const next = merge(present.get(service) ?? {}, {
      ...(definition === undefined ? {} : { definition: definition.document }),
      ...(endpoints === undefined ? {} : { endpoints }),
      ...(labelProblems === undefined ? {} : { problems: labelProblems }),
    });
    ahead.set(service, { sequence, service: next });
  }
  return { ...before, ahead };
}

/** After an own publication that failed: parts of it may have been written. */
export function withUncertain(before: Registered, names: Iterable<string>): Registered {
  if (before.kind !== 'known') return before;
  const ahead = new Map(before.ahead);
  const service = { definition: 'uncertain', endpoints: 'uncertain', problems: 'uncertain' } as const;
  for (const name of names) ahead.set(name, { sequence: Number.POSITIVE_INFINITY, service });
  return { ...before, ahead };
}

/** What the registry holds now, own last writes included. */
export function servicesOf(registered: Registered): ReadonlyMap<string, RegisteredService> {
  if (registered.kind !== 'known') return new Map();
  if (registered.ahead.size === 0) return registered.followed;
  const services = new Map(registered.followed);
  for (const [name, { service }] of registered.ahead) {
    if (Object.keys(service).length === 0) services.delete(name);
    else services.set(name, service);
  }
  return services;
}

/** The definition as last followed, own writes since then not counted. */
export function followedOf(registered: Registered, name: string): ServiceDefinition | undefined {
  const definition = registered.kind === 'known' ? registered.followed.get(name)?.definition : undefined;
  return definition === 'uncertain' ? undefined : definition;
}

type Parts = { readonly [K in keyof RegisteredService]?: RegisteredService[K] | null };

/** `null` removes a part. */
function merge(service: RegisteredService, parts: Parts): RegisteredService {
  const merged = Object.entries({ ...service, ...parts }).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(merged);
}

function fromSnapshot(
  { snapshot, cause }: Extract<RegistryChange, { readonly kind: 'snapshot' }>,
  before: Registered,
  owner: string,
): RegisteredServices {
  const followed = new Map<string, RegisteredService>();
  const add = (key: ServiceKey, parts: Parts) => {
    const name = nameUnder(key, owner);
    if (name !== undefined) followed.set(name, merge(followed.get(name) ?? {}, parts));
  };
  for (const [key, stored] of snapshot.services) add(key, { definition: documentOf(stored) });
  for (const [key, stored] of snapshot.endpoints) add(key, { endpoints: documentOf(stored) });
  for (const [key, problems] of snapshot.labelProblems) add(key, { problems });
  const { registryId, sequence } = snapshot;
  // Own writes are not in a registry that was restored from a backup, whatever its sequence is by now.
  const isSame = before.kind === 'known' && before.registryId === registryId && before.sequence <= sequence;
  return {
    kind: 'known',
    registryId,
    sequence,
    followed,
    ahead: isSame && cause !== 'index-backwards' ? before.ahead : new Map(),
  };
}

function withDelta(
  before: RegisteredServices,
  delta: Extract<RegistryChange, { readonly kind: 'delta' }>,
  owner: string,
): RegisteredServices {
  const followed = new Map(before.followed);
  const change = (key: ServiceKey, parts: Parts) => {
    const name = nameUnder(key, owner);
    if (name === undefined) return;
    const next = merge(followed.get(name) ?? {}, parts);
    if (Object.keys(next).length === 0) followed.delete(name);
    else followed.set(name, next);
  };
  for (const [key, stored] of delta.services) change(key, { definition: stored ? documentOf(stored) : null });
  for (const [key, stored] of delta.endpoints) change(key, { endpoints: stored ? documentOf(stored) : null });
  for (const [key, problems] of delta.labelProblems) change(key, { problems: problems ?? null });
  return { ...before, sequence: delta.sequence, followed };
}

/** Drops own writes that were followed since. */
function withoutFollowed(registered: RegisteredServices): RegisteredServices {
  if (registered.ahead.size === 0) return registered;
  const ahead = new Map([...registered.ahead].filter(([, { sequence }]) => sequence > registered.sequence));
  return { ...registered, ahead };
}

function documentOf<T>(stored: Stored<T>): T | 'uncertain' {
  return stored.ok ? stored.document : 'uncertain';
}

function nameUnder(key: ServiceKey, owner: string): string | undefined {
  return key.startsWith(`${owner}/`) ? key.slice(owner.length + 1) : undefined;
}
