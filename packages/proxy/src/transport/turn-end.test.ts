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
    for (const name of ['a', 'b', 'c']) writeAtTurnEnd(writer(written, name), 'client');
    expect(written).to.deep.equal([]);
    await turn();
    expect(written).to.deep.equal(['a', 'b', 'c']);
  });

  it('go to endpoints before they go to clients', async () => {
    const written: string[] = [];
    for (const to of ['client', 'endpoint'] as const)
      for (const at of [1, 2]) writeAtTurnEnd(writer(written, `${to} ${at}`), to);
    await turn();
    expect(written).to.deep.equal(['endpoint 1', 'endpoint 2', 'client 1', 'client 2']);
  });

  it('wait for the next turn where another write has brought them about', async () => {
    const written: string[] = [];
    const second = writer(written, 'second');
    writeAtTurnEnd(
      writer(written, 'first', () => writeAtTurnEnd(second, 'endpoint')),
      'client',
    );
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
    writeAtTurnEnd(failing, 'client');
    writeAtTurnEnd(writer(written, 'second'), 'client');
    await turn();
    expect(written).to.deep.equal(['first', 'first: injected', 'second']);
  });
});
