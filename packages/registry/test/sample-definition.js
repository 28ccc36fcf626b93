/** A valid definition; the port tells versions of it apart. */
export function definitionOf(owner, service, port = 8080) {
  return {
    version: 1,
    service,
    owner,
    source: { kind: 'rest', by: 'tests' },
    updatedAt: '2026-01-01T00:00:00.000Z',
    destinations: [{ index: 0, since: 1, servicePath: [`/${service}`], port }],
  };
}
export function endpointsOf(owner, service, address = '10.0.1.5/24') {
  const tasks = [{ taskId: 't1', nodeId: 'n1', state: 'active', addresses: [address] }];
  return { version: 1, service, owner, dnsName: service, tasks, published: [] };
}
//# sourceMappingURL=sample-definition.js.map
