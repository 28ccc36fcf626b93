import type { SwarmNode, SwarmService, SwarmTask } from '../src/swarm/swarm-objects.ts';

/** A replicated service of one task on one overlay network, selected, with a path and a port. */
export function aService(over: Partial<SwarmService> = {}): SwarmService {
  return {
    id: 'service-1',
    name: 'go-demo',
    versionIndex: 10,
    createdAt: '2026-01-01T00:00:00Z',
    labels: { 'com.df.notify': 'true', 'com.df.servicePath': '/demo', 'com.df.port': '8080' },
    mode: { kind: 'replicated', replicas: 1 },
    networks: ['net-1'],
    virtualIps: [],
    ports: [],
    ...over,
  };
}

/** A running task of that service on node-1. */
export function aTask(over: Partial<SwarmTask> = {}): SwarmTask {
  return {
    id: 'task-1',
    serviceId: 'service-1',
    nodeId: 'node-1',
    versionIndex: 12,
    state: 'running',
    desiredState: 'running',
    attachments: [{ networkId: 'net-1', networkName: 'proxy', ingress: false, addresses: ['10.0.1.5/24'] }],
    hostPorts: [],
    ...over,
  };
}

export function aNode(over: Partial<SwarmNode> = {}): SwarmNode {
  return {
    id: 'node-1',
    versionIndex: 5,
    hostname: 'one',
    address: '192.0.2.11',
    state: 'ready',
    availability: 'active',
    role: 'manager',
    labels: {},
    ...over,
  };
}
