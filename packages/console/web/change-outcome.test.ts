import { expect } from 'chai';
import { CallError } from './api.ts';
import { outcomeOf, refusedOutcome } from './change-outcome.ts';

describe('what came of a change', () => {
  const Status = 'OK';
  const done = 'Distributed to all instances';
  const late = 'Distributed to 1 of 2 instances, waiting for two';

  const problem = {
    owner: 'manual',
    severity: 'warning',
    reason: 'label-unknown',
    service: 'shop',
    message: 'servicePth is no label',
  } as const;

  const cases = [
    [
      { Status, Message: done, serving: ['one', 'two'], waitingFor: [] },
      { kind: 'ok', text: done },
    ],
    // Of changes that no replica is waited for.
    [
      { Status, Message: 'shop.example is ordered' },
      { kind: 'ok', text: 'shop.example is ordered' },
    ],
    [{ Status }, { kind: 'ok', text: 'Done.' }],
    [
      { Status, Message: '' },
      { kind: 'ok', text: 'Done.' },
    ],
    [
      { Status, Message: done, problems: [problem], waitingFor: [] },
      { kind: 'warning', text: done },
    ],
    [
      { Status, Message: `${done}; old runs an older version`, warnings: ['old runs an older version'] },
      { kind: 'warning', text: `${done}; old runs an older version` },
    ],
    [
      { Status, Message: late, problems: [problem], waitingFor: ['two'] },
      { kind: 'late', text: late, late: ['two'] },
    ],
    [
      { Status, Message: late, serving: ['one'], waitingFor: ['two'] },
      { kind: 'late', text: late, late: ['two'] },
    ],
  ] as const;
  for (const [response, outcome] of cases)
    it(`${JSON.stringify(response)} is ${outcome.kind}`, () => {
      expect(outcomeOf(response, 'Done.')).to.deep.equal(outcome);
    });

  it('leads to the login where it was refused for want of one, and nowhere else', () => {
    const of = (status: number) => refusedOutcome(new CallError(status, 'reason', 'text'));
    expect(of(401)).to.deep.equal({ kind: 'error', text: 'text', needsLogin: true });
    for (const status of [0, 400, 403, 409, 429, 503]) expect(of(status).needsLogin, `${status}`).to.equal(false);
  });
});
