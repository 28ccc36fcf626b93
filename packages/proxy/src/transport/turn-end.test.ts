import { expect } from 'chai';
import { type TurnWriter, writeAtTurnEnd } from './turn-end.ts';

describe('writes at the end of a turn', () => {
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

  function writer(written: string[], name: string, then = () => undefined as unknown): TurnWriter {
    return {
      onTurnEnd: () => {
        written.push(name);
        then();
      },
      onFault: (error) => written.push(`${name}: ${(error as Error).message}`),
    };
  }

  it('leave together, in the order of the requests for them', async () => {
    const written: string[] = [];
    for (const name of ['a', 'b', 'c']) writeAtTurnEnd(writer(written, name));
    expect(written).to.deep.equal([]);
    await turn();
    expect(written).to.deep.equal(['a', 'b', 'c']);
  });

  it('wait for the next turn where another write has brought them about', async () => {
    const written: string[] = [];
    const second = writer(written, 'second');
    writeAtTurnEnd(writer(written, 'first', () => writeAtTurnEnd(second)));
    await turn();
    expect(written).to.deep.equal(['first']);
    await turn();
    expect(written).to.deep.equal(['first', 'second']);
  });

  it('leave although one before them fails, and its owner gets the error', async () => {
    const written: string[] = [];
    const failing = writer(written, 'first', () => {
      throw new Error('injected');
    });
    writeAtTurnEnd(failing);
    writeAtTurnEnd(writer(written, 'second'));
    await turn();
    expect(written).to.deep.equal(['first', 'first: injected', 'second']);
  });
});
