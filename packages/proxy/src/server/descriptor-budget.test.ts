import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { expect } from 'chai';
import { ConnectionLimits } from './connection-limits.ts';
import { AdmissionWithinDescriptors, descriptorBudget } from './descriptor-budget.ts';

const socket = () => Object.assign(new EventEmitter(), { remoteAddress: '192.0.2.1' }) as unknown as Socket;

describe('the budget of descriptors', () => {
  for (const [limit, clients] of [
    [undefined, Number.POSITIVE_INFINITY],
    [1_048_576, 523_264],
    [1_024, 384],
    [256, 96],
    [64, 1],
    [16, 1],
  ] as const)
    it(`of ${limit ?? 'an unknown limit'} leaves room for as many endpoints as clients, and for the process itself`, () => {
      expect(descriptorBudget(limit)).to.deep.equal({ clients, endpoints: clients });
    });

  it('refuses a connection too many, counts it apart, and admits one again when another has closed', () => {
    const limits = new ConnectionLimits({ most: 3, mostPerAddress: 0, exempt: () => false });
    const admission = new AdmissionWithinDescriptors(limits, 2);
    const [first, second, third] = [socket(), socket(), socket()];
    expect([first, second, third].map((each) => admission.admit(each))).to.deep.equal([true, true, false]);
    expect(admission).to.include({ open: 2, refused: 1, refusedOfAddress: 0, refusedForDescriptors: 1, share: 1 });
    first.emit('close');
    expect(admission.admit(third)).to.equal(true);
    expect(admission).to.include({ open: 2, refused: 1 });
  });

  it('gives the place of a connection back that another limit refused', () => {
    const limits = new ConnectionLimits({ most: 1, mostPerAddress: 0, exempt: () => false });
    const admission = new AdmissionWithinDescriptors(limits, 2);
    const [first, second] = [socket(), socket()];
    expect([admission.admit(first), admission.admit(second)]).to.deep.equal([true, false]);
    second.emit('close');
    expect(admission).to.include({ refused: 1, refusedForDescriptors: 0, share: 0.5 });
  });
});
