import type { StatusResponse } from '@swarmgate/proxy';
import { expect } from 'chai';
import { describeStatus } from './status.ts';

const replica = {
  replica: 'node-1-8080',
  registryId: 'r',
  sequence: 7,
  routes: 3,
  rejected: 0,
  version: '0.1.0',
  since: '2026-01-02T03:04:05.000Z',
};
const status: StatusResponse = {
  version: '0.1.0',
  replica: 'node-1-8080',
  instance: 'swarmgate',
  since: '2026-01-02T03:04:05.000Z',
  ready: true,
  draining: false,
  registry: {
    kind: 'consul',
    description: 'consul at 127.0.0.1:8500',
    reachable: true,
    registryId: 'r',
    state: { kind: 'following', sinceMs: 1 },
  },
  revision: 'r:7',
  sequence: 7,
  ageMs: 0,
  services: 2,
  routes: 3,
  rejected: 0,
  held: 0,
  problems: 0,
  entrypoints: [],
  workers: [],
  replicas: [
    { ...replica, live: { requestsPerSecond: 12.5, inFlight: 4 } },
    { ...replica, replica: 'node-2-8080', sequence: 6 },
  ],
};

describe('the status as people read it', () => {
  const lines = describeStatus(status).split('\n');
  const lineOf = (name: string) => lines.findLast((line) => line.startsWith(name))?.split(/\s{2,}/);

  it('shows what passes through each replica, where that is known', () => {
    expect(lineOf('node-1-8080')).to.include.members(['12.5', '4']);
    expect(lineOf('node-2-8080')?.filter((cell) => cell === '–')).to.have.length(2);
  });

  it('shows which replica is behind', () => {
    expect(lineOf('node-2-8080')).to.include('6 (this one: 7)');
  });
});
