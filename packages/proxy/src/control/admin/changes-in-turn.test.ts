import { expect } from 'chai';
import type { ChangeOutcome } from './change-outcome.ts';
import { ChangesInTurn } from './changes-in-turn.ts';

const done: ChangeOutcome = {
  kind: 'done',
  message: 'Distributed to all instances',
  barrier: { sequence: 1, serving: ['one'], waitingFor: [] },
};
const refused: ChangeOutcome = { kind: 'refused', status: 409, message: 'nothing was kept' };

describe('changes of one service that come at the same time', () => {
  let inTurn: ChangesInTurn;
  let made: string[];

  beforeEach(() => {
    inTurn = new ChangesInTurn();
    made = [];
  });

  const change = (service: string, content: string, outcome: ChangeOutcome = done) =>
    inTurn.run(service, content, async () => {
      await new Promise((resolve) => setImmediate(resolve));
      made.push(content);
      return outcome;
    });

  it('are decided by the first and the newest, and every caller is served', async () => {
    const outcomes = await Promise.all(Array.from({ length: 1_000 }, (_, n) => change('web', `${n}`)));
    expect(made).to.deep.equal(['0', '999']);
    expect(outcomes[0]).to.equal(done);
    expect(outcomes[999]).to.equal(done);
    expect(outcomes[500]).to.have.property(
      'message',
      'Distributed to all instances; replaced at once by a later change of web',
    );
  });

  it('share a response where their content is equal', async () => {
    const outcomes = await Promise.all([change('web', 'a'), change('web', 'b'), change('web', 'b')]);
    expect(made).to.deep.equal(['a', 'b']);
    expect(outcomes).to.deep.equal([done, done, done]);
  });

  it('fall back to the one before where the newest is refused', async () => {
    const outcomes = await Promise.all([
      change('web', '1'),
      change('web', '2'),
      change('web', '3'),
      change('web', '4', refused),
    ]);
    expect(made).to.deep.equal(['1', '4', '3']);
    expect(outcomes[3]).to.equal(refused);
    expect(outcomes[2]).to.equal(done);
    expect(outcomes[1]).to.have.property('message').that.contains('replaced at once');
  });

  it('fall back as well where the newest throws, which is reported to its caller alone', async () => {
    const first = change('web', '1');
    const second = change('web', '2');
    const third = inTurn.run('web', '3', () => Promise.reject(new Error('a bug'))).catch((error: unknown) => error);
    expect(await third).to.have.property('message', 'a bug');
    expect([await first, await second]).to.deep.equal([done, done]);
  });

  it('do not wait for those of another service', async () => {
    const never = inTurn.run('web', '1', () => new Promise(() => undefined));
    expect(await Promise.race([never, change('shop', '1')])).to.equal(done);
  });

  it('are forgotten when they are done', async () => {
    await change('web', '1');
    await change('web', '2');
    expect(made).to.deep.equal(['1', '2']);
  });
});
