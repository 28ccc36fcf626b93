import type {
  EndpointsDocument,
  Problem,
  RegistryChange,
  ServiceDefinition,
  ServiceKey,
  Stored,
} from '@swarmgate/registry';

/** Values as the registry hands them over, for tests of what follows it. */
export function definition(
  key: ServiceKey,
  path = `/${key}`,
  updatedAt = '2026-01-01T00:00:00.000Z',
): ServiceDefinition {
  const [owner = '', service = ''] = key.split('/');
  return {
    version: 1,
    service,
    owner,
    source: { kind: 'rest', by: 'test' },
    updatedAt,
    destinations: [{ index: 0, since: 1, servicePath: [path], port: 8080 }],
  };
}

export function endpoints(key: ServiceKey, address = '10.0.1.5/24'): EndpointsDocument {
  const [owner = '', service = ''] = key.split('/');
  const task = { taskId: `${service}-1`, nodeId: 'n', state: 'active' as const, addresses: [address] };
  return { version: 1, service, owner, dnsName: service, tasks: [task], published: [] };
}

export function good<T>(document: T, index = 1): Stored<T> {
  return { ok: true, document, index };
}

export const notJson: Problem = { severity: 'error', reason: 'document-not-json', message: 'it is not JSON' };

export function bad(index = 2): Stored<never> {
  return { ok: false, problems: [notJson], index, raw: '{' };
}

export interface SnapshotGiven {
  readonly services?: Iterable<readonly [ServiceKey, Stored<ServiceDefinition>]>;
  readonly endpoints?: Iterable<readonly [ServiceKey, Stored<EndpointsDocument>]>;
  readonly journalled?: readonly ServiceKey[];
  readonly registryId?: string;
  readonly sequence?: number;
  readonly cause?: Extract<RegistryChange, { kind: 'snapshot' }>['cause'];
}

export function snapshot(given: SnapshotGiven): Extract<RegistryChange, { kind: 'snapshot' }> {
  const { registryId = 'r1', sequence = 1 } = given;
  return {
    kind: 'snapshot',
    cause: given.cause ?? 'hand-edit',
    journalled: new Set(given.journalled ?? []),
    snapshot: {
      registryId,
      sequence,
      revision: `${registryId}:${sequence}`,
      services: new Map(given.services ?? []),
      endpoints: new Map(given.endpoints ?? []),
      labelProblems: new Map(),
      foreignKeys: [],
    },
  };
}

export function delta(
  sequence: number,
  services: Iterable<readonly [ServiceKey, Stored<ServiceDefinition> | undefined]>,
  ofEndpoints: Iterable<readonly [ServiceKey, Stored<EndpointsDocument> | undefined]> = [],
): Extract<RegistryChange, { kind: 'delta' }> {
  return {
    kind: 'delta',
    revision: `r1:${sequence}`,
    sequence,
    services: new Map(services),
    endpoints: new Map(ofEndpoints),
    labelProblems: new Map(),
  };
}
