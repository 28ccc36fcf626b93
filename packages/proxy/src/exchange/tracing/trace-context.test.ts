import { expect } from 'chai';
import { attemptIdOf, beginTrace, parseTraceParent, type Sampler, traceParentOf } from './trace-context.ts';
import { TraceIds } from './trace-ids.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentId = '00f067aa0ba902b7';
const sent = `00-${traceId}-${parentId}-01`;

describe('traceparent', () => {
  const cases: readonly (readonly [string | undefined, boolean | undefined])[] = [
    [sent, true],
    [`00-${traceId}-${parentId}-00`, false],
    [`00-${traceId}-${parentId}-03`, true],
    [`00-${traceId}-${parentId}-fe`, false],
    [` ${sent} `, true],
    // A later version may say more, which is not read.
    [`cc-${traceId}-${parentId}-01`, true],
    [`cc-${traceId}-${parentId}-01-what-the-future-brings`, true],
    [`00-${traceId}-${parentId}-01-what-the-future-brings`, undefined],
    [`cc-${traceId}-${parentId}-01.what`, undefined],
    [`ff-${traceId}-${parentId}-01`, undefined],
    [`00-${'0'.repeat(32)}-${parentId}-01`, undefined],
    [`00-${traceId}-${'0'.repeat(16)}-01`, undefined],
    [sent.toUpperCase(), undefined],
    [`00-${traceId.slice(1)}-${parentId}-01`, undefined],
    [`00-${traceId}-${parentId}-1`, undefined],
    [`${sent}, ${sent}`, undefined],
    ['', undefined],
    [undefined, undefined],
  ];
  for (const [value, sampled] of cases)
    it(`${sampled === undefined ? 'is not' : 'is'} taken from ${JSON.stringify(value)}`, () => {
      expect(parseTraceParent(value)).to.deep.equal(sampled === undefined ? undefined : { traceId, parentId, sampled });
    });
});

describe('the trace of an exchange', () => {
  const ids = new TraceIds();
  const parent = (sampled: boolean) => ({ traceId, parentId, sampled });
  const start = { parent: undefined, traceState: undefined, trusted: false, ratio: undefined };
  const always: Sampler = { parentBased: true, ratio: 1 };
  const never: Sampler = { parentBased: true, ratio: 0 };

  it('continues any caller’s trace with a span id of its own', () => {
    for (const trusted of [true, false]) {
      const trace = beginTrace({ ...start, parent: parent(true), traceState: 'a=1,b=2', trusted }, always, ids);
      expect(trace).to.include({ traceId, parentId, traceState: 'a=1,b=2' });
      expect(traceParentOf(trace)).to.match(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
      expect(new Set([parentId, trace.spanId, trace.attemptId])).to.have.property('size', 3);
    }
  });

  it('begins where there is none, and drops a tracestate that belongs to nothing', () => {
    const trace = beginTrace({ ...start, traceState: 'a=1' }, never, ids);
    expect(trace.traceId).to.match(/^[0-9a-f]{32}$/);
    expect(trace).to.include({ parentId: '', traceState: '', sampled: false });
    expect(traceParentOf(trace)).to.equal(`00-${trace.traceId}-${trace.attemptId}-00`);
  });

  const decisions = [
    ['a trusted caller’s yes', { parent: parent(true), trusted: true }, never, true],
    ['a trusted caller’s no', { parent: parent(false), trusted: true }, always, false],
    ['a stranger’s yes', { parent: parent(true) }, never, false],
    ['a stranger’s no', { parent: parent(false) }, always, true],
    ['no caller', {}, always, true],
    [
      'a trusted caller’s yes, where parents do not decide',
      { parent: parent(true), trusted: true },
      { parentBased: false, ratio: 0 },
      false,
    ],
    ['the label of the service', { ratio: 0 }, always, false],
    [
      'the label of the service, with a trusted caller’s yes',
      { ratio: 0, parent: parent(true), trusted: true },
      always,
      true,
    ],
    ['the label of the service, with a stranger’s yes', { ratio: 0, parent: parent(true) }, always, false],
  ] as const;
  for (const [what, given, sampler, sampled] of decisions)
    it(`is ${sampled ? '' : 'not '}sampled: ${what}`, () => {
      expect(beginTrace({ ...start, ...given }, sampler, ids).sampled).to.equal(sampled);
    });

  it('is sampled by lot, whatever id a stranger chose', () => {
    let state = 1;
    const fixed = new TraceIds((bytes) => {
      for (let at = 0; at < bytes.length; at += 1) {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        bytes[at] = state >>> 16;
      }
    });
    const count = (given: object) => {
      let sampled = 0;
      for (let time = 0; time < 20_000; time += 1)
        if (beginTrace({ ...start, ...given }, { parentBased: true, ratio: 0.1 }, fixed).sampled) sampled += 1;
      return sampled;
    };
    expect(count({})).to.be.within(1_800, 2_200);
    expect(count({ parent: parent(true) })).to.be.within(1_800, 2_200);
    expect(count({ ratio: 0.5 })).to.be.within(9_700, 10_300);
  });

  it('has an id for each attempt', () => {
    const trace = beginTrace(start, always, ids);
    const attempts = Array.from({ length: 256 }, (_, attempt) => attemptIdOf(trace, attempt));
    expect(attempts[0]).to.equal(trace.attemptId);
    for (const id of attempts) expect(id).to.match(/^[0-9a-f]{16}$/);
    expect(new Set([trace.spanId, ...attempts])).to.have.property('size', 257);
  });

  it('has ids of its own for every exchange, over many fillings of the pool', () => {
    const seen = new Set<string>();
    for (let time = 0; time < 5_000; time += 1) {
      const { traceId: its, spanId, attemptId } = beginTrace(start, always, ids);
      for (const id of [its, spanId, attemptId]) {
        expect(id).to.match(/^[0-9a-f]{16,32}$/);
        seen.add(id);
      }
    }
    expect(seen.size).to.equal(15_000);
  });
});
