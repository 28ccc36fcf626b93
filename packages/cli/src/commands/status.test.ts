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
  maintenance: { services: 0, endpoints: 0 },
  problems: 0,
  entrypoints: [],
  adminTls: false,
  tokenInPlain: null,
  workers: [],
  plugins: null,
  replicas: [
    { ...replica, live: { requestsPerSecond: 12.5, inFlight: 4 } },
    { ...replica, replica: 'node-2-8080', sequence: 6 },
    { ...replica, replica: 'node-0-8080', draining: true },
  ],
};

describe('the status as people read it', () => {
  const lines = describeStatus(status).split('\n');
  const lineOf = (name: string) => lines.findLast((line) => line.startsWith(name))?.split(/\s{2,}/);

  it('shows the traffic of each replica that reports it', () => {
    expect(lineOf('node-1-8080')).to.include.members(['12.5', '4']);
    expect(lineOf('node-2-8080')?.filter((cell) => cell === '–')).to.have.length(2);
  });

  it('shows what clients may speak at an entrypoint', () => {
    const open = { state: 'open', address: '::' } as const;
    const shown = describeStatus({
      ...status,
      entrypoints: [
        { ...open, port: 443, secure: true, protocols: ['HTTP/1.1', 'HTTP/2'] },
        { ...open, port: 6379, secure: false, protocols: [] },
        { port: 80, secure: false, state: 'closed', reason: 'EACCES', protocols: ['HTTP/1.1'] },
      ],
    });
    expect(shown).to.include(
      ['entrypoint 443 (TLS) open: HTTP/1.1, HTTP/2', 'entrypoint 6379 open', 'entrypoint 80 closed: EACCES\n'].join(
        '\n',
      ),
    );
  });

  it('compares the sequences of one registry only', () => {
    const lost = { ...replica, replica: 'node-3-8080', registryId: 'lost' };
    const shown = describeStatus({ ...status, replicas: [...status.replicas, lost] });
    expect(shown).to.match(/node-1-8080 +live +7 {2,}/);
    expect(shown).to.match(/node-2-8080 +live +6 \(this one: 7\)/);
    const first = { ...replica, replica: 'node-4-8080', registryId: '', sequence: 0 };
    expect(describeStatus({ ...status, replicas: [first] })).to.match(/node-4-8080 +live +none yet \(this one: 7\)/);
    expect(shown).to.match(/node-3-8080 +live +7 of another registry \(this one: 7\)/);
  });

  const pluginLine = (plugins: StatusResponse['plugins']) =>
    describeStatus({ ...status, plugins })
      .split('\n')
      .find((line) => line.startsWith('plug-ins'));

  it('shows plug-ins, which of them cannot be used, and what became of changed files', () => {
    expect(pluginLine(null)).to.equal(undefined);
    const files = [
      { name: 'helmet' },
      { name: 'broken', fault: 'it cannot be loaded' },
      { name: 'slow', suspended: true },
    ] as const;
    expect(pluginLine({ state: 'current', files })).to.equal(
      'plug-ins   helmet, broken (it cannot be loaded), slow (suspended)',
    );
    expect(pluginLine({ state: 'current', files: [] })).to.equal('plug-ins   none');
    expect(pluginLine({ state: 'restart-needed', files: [{ name: 'helmet' }] })).to.equal(
      'plug-ins   helmet; the files have changed: restart the proxy to use them',
    );
    expect(pluginLine({ state: 'replacing', files: [] })).to.match(/changed: workers are being replaced$/);
    expect(pluginLine({ state: 'refused', reason: 'helmet: no', files: [] })).to.match(/cannot be used: helmet: no$/);
  });

  it('warns of a token that passed a network in plain text', () => {
    expect(lineOf('WARNING')).to.equal(undefined);
    const tokenInPlain = { from: '10.0.0.7', at: '2026-01-02T03:04:05.000Z' };
    expect(describeStatus({ ...status, tokenInPlain })).to.match(/^WARNING .*10\.0\.0\.7.*set ADMIN_TLS/m);
  });

  it('shows that a registry is empty, instead of services that are held', () => {
    const state = { kind: 'holding', sinceMs: 1, reason: 'head-missing', held: 0 } as const;
    const shown = describeStatus({ ...status, registry: { ...status.registry, registryId: '', state } });
    expect(shown).to.include('registry   consul at 127.0.0.1:8500, empty: nothing is registered yet\n');
  });

  it('shows which replica drains', () => {
    expect(lineOf('node-0-8080')?.[1]).to.equal('draining');
    expect(lineOf('node-1-8080')?.[1]).to.equal('live');
  });

  it('shows which replica is behind', () => {
    expect(lineOf('node-2-8080')).to.include('6 (this one: 7)');
  });
});
