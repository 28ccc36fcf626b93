import { expect } from 'chai';
import { definitionOf, endpointsOf } from '../../test/sample-definition.ts';
import type { ServiceChange } from '../registry.ts';
import type { Operation, StoredValue } from '../store/key-value-store.ts';
import { checkOperations, mostOperations } from '../store/store-limits.ts';
import { serializeDocument, serializeProblems } from './documents.ts';
import { newHead } from './head.ts';
import { keyLayout } from './key-layout.ts';
import {
  mostHistoryValueBytes,
  packWrites,
  planService,
  planTransaction,
  type ServiceWrite,
} from './plan-publication.ts';

const layout = keyLayout('edge');
const service = { owner: 'swarm', service: 'web' };
const document = definitionOf('swarm', 'web', 80);
const key = layout.documentKey('services', 'swarm/web');
const problem = { severity: 'warning', reason: 'label-unknown', message: 'no such label' } as const;

function stored(at: string, value: string, index = 7): StoredValue {
  return { key: at, value, index };
}

function plan(
  change: Omit<ServiceChange, 'owner' | 'service'>,
  present: readonly StoredValue[],
  historyNumbers: readonly number[] = [],
) {
  return planService(
    { ...service, ...change },
    {
      layout,
      stored: new Map(present.map((each) => [each.key, each])),
      historyNumbers,
      by: 'tests',
      now: '2026-02-02T00:00:00.000Z',
    },
  );
}

function operationsOf(result: ReturnType<typeof plan>): readonly Operation[] {
  if (result.kind !== 'write') throw new Error(`expected a write, not ${result.kind}`);
  return result.write.operations;
}

describe('planning one service', () => {
  it('creates a new definition only where there is none', () => {
    const result = plan({ definition: { document } }, []);
    expect(result).to.deep.equal({
      kind: 'write',
      write: {
        service: 'swarm/web',
        operations: [{ kind: 'compare-and-set', key, value: serializeDocument(document), index: 0 }],
        put: ['services/swarm/web'],
        remove: [],
      },
    });
  });

  it('replaces a definition at its index and keeps the former one', () => {
    const former = stored(key, serializeDocument({ ...document, aclName: 'before' }));
    const operations = operationsOf(plan({ definition: { document, index: 7 } }, [former], [4, 5]));
    expect(operations.map((each) => [each.kind, each.key])).to.deep.equal([
      ['set', 'edge/history/swarm/web/6'],
      ['compare-and-set', key],
    ]);
    expect(operations[1]).to.have.property('index', 7);
    const [entry] = operations;
    expect(JSON.parse(entry !== undefined && 'value' in entry ? entry.value : '')).to.deep.equal({
      version: 1,
      number: 6,
      replacedAt: '2026-02-02T00:00:00.000Z',
      replacedBy: 'tests',
      definition: { ...document, aclName: 'before' },
    });
  });

  it('writes nothing when only the time of writing is another', () => {
    const former = stored(key, serializeDocument({ ...document, updatedAt: '2020-01-01T00:00:00.000Z' }));
    expect(plan({ definition: { document, index: 7 } }, [former])).to.deep.equal({
      kind: 'unchanged',
      service: 'swarm/web',
    });
  });

  it('writes nothing for another order and layout of the same JSON', () => {
    const shuffled = Object.fromEntries(Object.entries(document).toReversed());
    expect(plan({ definition: { document } }, [stored(key, JSON.stringify(shuffled))]).kind).to.equal('unchanged');
  });

  const conflicts = [
    ['it was written since', { document, index: 6 }, [stored(key, '{}')]],
    ['it should be new and is not', { document, index: 0 }, [stored(key, '{}')]],
    ['it is gone', { document, index: 7 }, []],
    ['it was written since and should go', { document: null, index: 6 }, [stored(key, '{}')]],
  ] as const;
  for (const [why, definition, present] of conflicts) {
    it(`is a conflict when ${why}`, () => {
      expect(plan({ definition }, present)).to.deep.equal({ kind: 'conflict', service: 'swarm/web' });
    });
  }

  it('removes a definition at its index, keeping it in the history', () => {
    const operations = operationsOf(
      plan({ definition: { document: null } }, [stored(key, serializeDocument(document))]),
    );
    expect(operations.map((each) => each.kind)).to.deep.equal(['set', 'compare-and-delete']);
    expect(operations[1]).to.deep.equal({ kind: 'compare-and-delete', key, index: 7 });
  });

  it('removes what is not there by doing nothing', () => {
    expect(plan({ definition: { document: null }, endpoints: null, labelProblems: null }, []).kind).to.equal(
      'unchanged',
    );
  });

  it('takes the oldest history entry out when there are ten', () => {
    const former = stored(key, serializeDocument({ ...document, aclName: 'before' }));
    const numbers = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    const operations = operationsOf(plan({ definition: { document } }, [former], numbers));
    expect(operations.map((each) => [each.kind, each.key])).to.deep.equal([
      ['set', 'edge/history/swarm/web/13'],
      ['delete', 'edge/history/swarm/web/3'],
      ['compare-and-set', key],
    ]);
  });

  const notKept = [
    ['no JSON', 'edited by hand'],
    ['no definition', '{"version":1}'],
    ['too large', serializeDocument({ ...document, aclName: 'x'.repeat(70_000) })],
  ] as const;
  for (const [why, value] of notKept) {
    it(`keeps no former definition that is ${why}`, () => {
      const operations = operationsOf(plan({ definition: { document } }, [stored(key, value)]));
      expect(operations.map((each) => each.kind)).to.deep.equal(['compare-and-set']);
    });
  }

  it('keeps a former definition of 64 KiB and no larger one', () => {
    const kindsWith = (length: number) => {
      const former = serializeDocument({ ...document, aclName: 'x'.repeat(length) });
      return operationsOf(plan({ definition: { document } }, [stored(key, former)])).map((each) => each.kind);
    };
    const entryOf = (length: number) =>
      operationsOf(
        plan({ definition: { document } }, [
          stored(key, serializeDocument({ ...document, aclName: 'x'.repeat(length) })),
        ]),
      )[0];
    const entry = entryOf(1);
    const framing = entry?.kind === 'set' ? Buffer.byteLength(entry.value) - 1 : 0;
    expect(kindsWith(mostHistoryValueBytes - framing)).to.deep.equal(['set', 'compare-and-set']);
    expect(kindsWith(mostHistoryValueBytes - framing + 1)).to.deep.equal(['compare-and-set']);
  });

  it('takes out at most two entries of a longer history at a time', () => {
    const former = stored(key, serializeDocument({ ...document, aclName: 'before' }));
    const numbers = Array.from({ length: 14 }, (_, at) => at + 1);
    const operations = operationsOf(plan({ definition: { document } }, [former], numbers));
    expect(operations.map((each) => each.key)).to.deep.equal([
      'edge/history/swarm/web/15',
      'edge/history/swarm/web/2',
      'edge/history/swarm/web/1',
      key,
    ]);
  });

  it('writes endpoints and problems beside it, each only when it is another', () => {
    const endpoints = endpointsOf('swarm', 'web');
    const endpointsKey = layout.documentKey('endpoints', 'swarm/web');
    const problemsKey = layout.documentKey('labelProblems', 'swarm/web');
    const change = { endpoints, labelProblems: [problem] };
    const result = plan(change, []);
    expect(operationsOf(result)).to.deep.equal([
      { kind: 'set', key: endpointsKey, value: serializeDocument(endpoints) },
      { kind: 'set', key: problemsKey, value: serializeProblems([problem]) },
    ]);
    expect(result)
      .to.have.nested.property('write.put')
      .deep.equal(['endpoints/swarm/web', 'problems/labels/swarm/web']);
    const present = [
      stored(endpointsKey, serializeDocument(endpoints)),
      stored(problemsKey, serializeProblems([problem])),
    ];
    expect(plan(change, present).kind).to.equal('unchanged');
    const mended = plan({ labelProblems: [] }, present);
    expect(operationsOf(mended)).to.deep.equal([{ kind: 'delete', key: problemsKey }]);
    expect(mended).to.have.nested.property('write.remove').deep.equal(['problems/labels/swarm/web']);
  });
});

describe('packing services into transactions', () => {
  const write = (name: string, sizes: readonly number[]): ServiceWrite => ({
    service: `swarm/${name}`,
    operations: sizes.map((size, n) => ({ kind: 'set', key: `edge/x/${name}/${n}`, value: 'x'.repeat(size) })),
    put: sizes.map((_, n) => `x/${name}/${n}`),
    remove: [],
  });

  it('fills them with whole services, in order, within Consul’s limits', () => {
    const writes = Array.from({ length: 500 }, (_, n) => write(`s${n}`, [100 * (n % 40), 3_000, 20]));
    const packing = packWrites(writes);
    if (!packing.ok) throw new Error('does not fit');
    expect(packing.groups.flat()).to.deep.equal(writes);
    let present = { head: newHead('r'), index: 1 };
    for (const group of packing.groups) {
      const planned = planTransaction(group, present, layout, {
        fence: { key: 'edge/leader/swarm', session: 's' },
      });
      expect(planned.operations.length).to.be.at.most(mostOperations);
      checkOperations(planned.operations);
      present = { head: planned.head, index: present.index + 1 };
    }
    expect(packing.groups.length).to.be.lessThan(40);
    expect(present.head.sequence).to.equal(packing.groups.length);
  });

  it('leaves room for the fence and the head, to the operation', () => {
    const sized = (count: number) =>
      write(
        `s${count}`,
        Array.from({ length: count }, () => 1),
      );
    const groupsOf = (...writes: readonly ServiceWrite[]) => {
      const packing = packWrites(writes);
      return packing.ok ? packing.groups.map((group) => group.length) : undefined;
    };
    expect(groupsOf(sized(mostOperations - 12), sized(10))).to.deep.equal([2]);
    expect(groupsOf(sized(mostOperations - 11), sized(10))).to.deep.equal([1, 1]);
  });

  it('names a service that does not fit into any', () => {
    expect(packWrites([write('small', [10]), write('large', [300_000, 60_000])])).to.deep.include({
      ok: false,
      tooLarge: 'swarm/large',
    });
  });

  it('puts the fence first and the head behind it', () => {
    const fence = { key: 'edge/leader/swarm', session: 's1' };
    const planned = planTransaction([write('a', [1])], { head: newHead('r'), index: 5 }, layout, { fence });
    expect(planned.operations.map((each) => [each.kind, each.key])).to.deep.equal([
      ['check-session', fence.key],
      ['compare-and-set', layout.head],
      ['set', 'edge/x/a/0'],
    ]);
    expect(planned.operations[1]).to.have.property('index', 5);
    expect(planned).to.deep.include({ fenceAt: 0, headAt: 1 });
  });
});
