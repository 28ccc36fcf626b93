import type { ServiceDefinition } from '@swarmgate/labels';
import type { EndpointsDocument } from '../src/definition/endpoints-document.ts';

/** A valid definition; the port tells versions of it apart. */
export function definitionOf(owner: string, service: string, port = 8080): ServiceDefinition {
  return {
    version: 1,
    service,
    owner,
    source: { kind: 'rest', by: 'tests' },
    updatedAt: '2026-01-01T00:00:00.000Z',
    destinations: [{ index: 0, since: 1, servicePath: [`/${service}`], port }],
  };
}

export function endpointsOf(owner: string, service: string, address = '10.0.1.5/24'): EndpointsDocument {
  const tasks = [{ taskId: 't1', nodeId: 'n1', state: 'active' as const, addresses: [address] }];
  return { version: 1, service, owner, dnsName: service, tasks, published: [] };
}
