import { expect } from 'chai';
import { readItems } from './listed-items.ts';

const itemsOf = (text: string) => readItems(Buffer.from(text), (item) => item);

describe('listed items', () => {
  const lists: readonly (readonly [name: string, list: unknown])[] = [
    ['no item', []],
    ['one item', [{ Key: 'a', Value: null }]],
    ['braces, brackets, quotes and backslashes in texts', [{ Key: '}],[{"\\' }, { Key: '\\\\"}' }]],
    ['objects and lists within items', [{ a: { b: [{ c: 1 }, {}] } }, { d: [] }]],
    ['texts of several bytes a letter', [{ Key: 'käse→🧀' }, { Key: 'x' }]],
    ['an empty object', [{}, {}]],
  ];
  for (const [name, list] of lists) {
    it(`reads ${name} as JSON.parse does`, async () => {
      expect(await itemsOf(JSON.stringify(list))).to.deep.equal(list);
      expect(await itemsOf(`\n${JSON.stringify(list, undefined, 4)}\r\n`)).to.deep.equal(list);
    });
  }

  const broken = [
    '',
    'null',
    '{}',
    '[',
    '[{}',
    '[{}}',
    '[{},]',
    '[{} {}]',
    '[{}]]',
    '[1]',
    '[{"a":"}]',
    '[{"a":}]',
    '[{]}]',
  ];
  for (const text of broken) {
    it(`refuses ${JSON.stringify(text)}`, async () => {
      let failure: unknown;
      await itemsOf(text).catch((error) => {
        failure = error;
      });
      expect(failure).to.be.instanceOf(SyntaxError);
    });
  }

  it('gives other work of the process its turn between two slices', async () => {
    const list = JSON.stringify(Array.from({ length: 20_000 }, (_, n) => ({ Key: `services/other/other-${n}` })));
    let turns = 0;
    let isOver = false;
    const count = () => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const items = await itemsOf(list);
    isOver = true;
    expect(items).to.have.length(20_000);
    // Some 10 ms of work in slices of one; a machine that is faster still has some.
    expect(turns).to.be.greaterThan(1);
  });

  it('ends with the signal', async () => {
    const list = JSON.stringify(Array.from({ length: 20_000 }, (_, n) => ({ Key: `services/other/other-${n}` })));
    const reason = new Error('enough');
    let failure: unknown;
    const ended = new AbortController();
    const reading = readItems(Buffer.from(list), (item) => item, ended.signal).catch((error) => {
      failure = error;
    });
    ended.abort(reason);
    await reading;
    expect((failure as Error).cause).to.equal(reason);
  });
});
