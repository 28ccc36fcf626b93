import { controlCharacterIn } from '@swarmgate/labels';
import { silentLogger } from '@swarmgate/runtime';
import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { openRegistryUnderTest } from '../../test/embedded-registry.ts';
import {
  completeDefinition,
  completeEndpoints,
  hostileRuns,
  hostileTexts,
  mutationsOf,
  pathsOf,
  textOf,
} from '../../test/hostile-documents.ts';
import { definitionOf } from '../../test/sample-definition.ts';
import { listReplicas } from '../session/replica-status.ts';
import type { KeyValueStore } from '../store/key-value-store.ts';
import { readDocument } from './documents.ts';
import { changesSince, journalledIndexes, parseHead, removedKeys } from './head.ts';
import { readHistory } from './history.ts';
import { JournalContext } from './journal-context.ts';
import { keyLayout } from './key-layout.ts';

const runs = hostileRuns.registry;
const seed = 20_260_102;

const layout = keyLayout('edge');
const definition = completeDefinition('swarm', 'web');
const endpoints = completeEndpoints('swarm', 'web');
const problems = { version: 1, problems: [{ severity: 'error', reason: 'r', message: 'm', label: 'l', value: 'v' }] };
const maintenance = {
  version: 1,
  owner: 'swarm',
  service: 'web',
  maintenance: {
    by: 'ann',
    since: '2026-01-02T03:04:05.000Z',
    until: '2026-01-02T04:04:05.000Z',
    message: 'Back soon.',
    page: '<h1>Back soon</h1>',
    retryAfterMs: 60_000,
    except: ['10.0.0.0/8'],
  },
  drains: [
    {
      host: '10.0.1.5',
      port: 80,
      taskId: 't1',
      by: 'ann',
      since: '2026-01-02T03:04:05.000Z',
      tunnelsUntil: '2026-01-02T04:04:05.000Z',
    },
  ],
  ended: [
    {
      endpoint: '10.0.1.5:80',
      by: 'ann',
      since: '2026-01-02T03:04:05.000Z',
      endedAt: '2026-01-02T04:04:05.000Z',
      endedBy: 'bob',
    },
  ],
};
const head = {
  version: 1,
  registryId: 'r1',
  sequence: 3,
  changes: [
    { sequence: 2, index: 7, put: ['services/swarm/web'], remove: [] },
    { sequence: 3, put: ['endpoints/swarm/web'], remove: ['services/swarm/old'], awaited: true },
  ],
};
const history = { version: 1, number: 1, replacedAt: '2026-01-01', replacedBy: 'x', definition };
const replica = { replica: 'one', registryId: 'r1', sequence: 1, routes: 1, rejected: 0, version: '1', since: 's' };

function assertFor(document: object, numRuns: number, check: (text: string) => void | Promise<void>): Promise<void> {
  const texts = fc.oneof(
    { weight: 50, arbitrary: mutationsOf(document).map((mutated) => textOf(mutated) ?? '') },
    { weight: 1, arbitrary: fc.constantFrom(...hostileTexts) },
  );
  return fc.assert(
    fc.asyncProperty(texts, async (text) => {
      await check(text);
    }),
    fuzzRuns(numRuns, seed),
  );
}

/** A store that holds one value under every prefix. */
const holding = (key: string, value: string) =>
  ({ list: async () => ({ index: 1, data: [{ key, value, index: 1 }] }) }) as unknown as KeyValueStore;

describe('documents of the registry, whatever stands in them', function () {
  this.timeout(120_000);

  it('are mutated in every field of every kind', () => {
    expect(pathsOf(definition).length).to.be.greaterThan(100);
    expect(pathsOf(endpoints).length).to.be.greaterThan(20);
  });

  it('are 100,000 cases with those of the snapshot, the bus, certificates and Docker', () => {
    const { registry, consul, served, snapshots, certificates, docker } = hostileRuns;
    const sum = (of: Readonly<Record<string, number>>) => Object.values(of).reduce((all, each) => all + each, 0);
    const cases =
      sum(registry) +
      2 * registry.others +
      9 * consul +
      sum(served) +
      2 * served.messages +
      snapshots.files * snapshots.linesOfOne +
      snapshots.heads +
      6 * certificates.reports +
      4 * certificates.readings +
      certificates.folder +
      sum(docker);
    expect(cases).to.be.at.least(100_000);
  });

  it('give a definition that is checked, or problems', async () => {
    let usable = 0;
    await assertFor(definition, runs.definition, (text) => {
      const read = readDocument(layout.place('edge/services/swarm/web') as never, {
        key: 'edge/services/swarm/web',
        value: text,
        index: 1,
      });
      if (read.kind !== 'services') throw new Error(read.kind);
      if (read.found.ok) {
        usable += 1;
        const { serviceCert: _pem, ...rest } = read.found.document;
        expect(controlCharacterIn(rest)).to.equal(undefined);
        expect(read.found.document).to.include({ owner: 'swarm', service: 'web' });
        expect(JSON.parse(JSON.stringify(read.found.document))).to.deep.equal(read.found.document);
      } else expect(read.found.problems).to.have.length.of.at.least(1);
    });
    expect(usable).to.be.greaterThan(runs.definition / 100);
    expect({}).to.not.have.property('polluted');
  });

  it('give an endpoints document whose every part can be used, or problems', async () => {
    let usable = 0;
    await assertFor(endpoints, runs.endpoints, (text) => {
      const read = readDocument(layout.place('edge/endpoints/swarm/web') as never, {
        key: 'edge/endpoints/swarm/web',
        value: text,
        index: 1,
      });
      if (read.kind !== 'endpoints') throw new Error(read.kind);
      if (!read.found.ok) return;
      usable += 1;
      expect(controlCharacterIn(read.found.document)).to.equal(undefined);
      for (const { host } of read.found.document.published) expect(host).to.match(/^[A-Za-z0-9._:[\]-]+$/);
      for (const { addresses } of read.found.document.tasks)
        for (const address of addresses) expect(address).to.match(/^[0-9a-fA-F.:]+\/\d+$/);
    });
    expect(usable).to.be.greaterThan(runs.endpoints / 10);
  });

  it('give a maintenance document whose every part can be used, or problems', async () => {
    let usable = 0;
    await assertFor(maintenance, runs.maintenance, (text) => {
      const key = 'edge/maintenance/swarm/web';
      const read = readDocument(layout.place(key) as never, { key, value: text, index: 1 });
      if (read.kind !== 'maintenance') throw new Error(read.kind);
      if (!read.found.ok) {
        expect(read.found.problems).to.have.length.of.at.least(1);
        return;
      }
      usable += 1;
      const { document } = read.found;
      const { page: _page, ...down } = document.maintenance ?? {};
      expect(controlCharacterIn({ ...document, maintenance: down })).to.equal(undefined);
      for (const at of [
        document.maintenance?.until,
        ...(document.drains ?? []).map(({ tunnelsUntil }) => tunnelsUntil),
      ])
        if (at !== undefined) expect(Date.parse(at)).to.be.a('number').and.not.NaN;
      for (const network of document.maintenance?.except ?? []) expect(network).to.match(/^[0-9a-fA-F.:]+\/\d+$/);
      for (const { host } of document.drains ?? []) expect(host).to.match(/^[A-Za-z0-9._:-]+$/);
    });
    expect(usable).to.be.greaterThan(runs.maintenance / 20);
  });

  it('give problems that can be shown', () =>
    assertFor(problems, runs.others, (text) => {
      const key = 'edge/problems/labels/swarm/web';
      const read = readDocument(layout.place(key) as never, { key, value: text, index: 1 });
      if (read.kind !== 'labelProblems') throw new Error(read.kind);
      for (const problem of read.problems)
        for (const [name, value] of Object.entries(problem))
          if (['reason', 'message', 'label', 'value', 'suggestion'].includes(name)) expect(value).to.be.a('string');
    }));

  it('give a journal that can be followed, or none', () =>
    assertFor(head, runs.others, (text) => {
      const parsed = parseHead(text);
      if (parsed === undefined) return;
      changesSince(parsed, 1);
      journalledIndexes(parsed, 9);
      for (const key of removedKeys(parsed)) layout.place(`edge/${key}`);
    }));

  it('give history entries with definitions that are checked', () =>
    assertFor(history, runs.history, async (text) => {
      const context = new JournalContext({
        store: holding('edge/history/swarm/web/1', text),
        layout,
        logger: silentLogger,
      });
      for (const entry of await readHistory(context, 'swarm/web', new AbortController().signal))
        expect(entry.definition).to.include({ owner: 'swarm', service: 'web' });
    }));

  it('give replicas that can be waited for', () =>
    assertFor(replica, runs.others, async (text) => {
      const listed = await listReplicas(holding('edge/proxies/one', text), layout, new AbortController().signal);
      for (const status of listed.live) expect(status.replica).to.be.a('string');
      for (const name of listed.left) expect(name).to.be.a('string');
    }));

  it('cost their own service at most: others are read, followed and published beside them', async () => {
    const under = await openRegistryUnderTest();
    const signal = AbortSignal.timeout(100_000);
    const options = { by: 'a test', signal };
    const keys = [
      under.layout.documentKey('services', 'swarm/web'),
      under.layout.documentKey('endpoints', 'swarm/web'),
      under.layout.documentKey('labelProblems', 'swarm/web'),
      under.layout.history('swarm/web', 1),
      under.layout.replica('two'),
    ];
    const texts = fc.oneof(
      ...[definition, endpoints, problems, history].map((document) =>
        mutationsOf(document).map((mutated) => textOf(mutated) ?? ''),
      ),
      fc.constantFrom(...hostileTexts).filter((text) => text.length < 300_000),
    );
    let port = 1;
    try {
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...keys), texts, async (key, value) => {
          await under.write({ kind: 'set', key, value: value.slice(0, 300_000) });
          port = (port % 60_000) + 1;
          const others = ['good', 'web'].map((service) => ({
            owner: 'swarm',
            service,
            definition: { document: definitionOf('swarm', service, port) },
          }));
          await under.registry.publish(others, options);
          const read = await under.registry.read(signal);
          if (read.kind !== 'snapshot') throw new Error(read.kind);
          const good = read.snapshot.services.get('swarm/good');
          expect(good?.ok && good.document.destinations[0]?.port).to.equal(port);
          await under.registry.history('swarm/web', signal);
        }),
        fuzzRuns(runs.beside, seed),
      );
    } finally {
      await under.remove();
    }
  });
});
