import { expect } from 'chai';
import { ConnectionSlots } from './connection-slots.ts';
import type { WorkerMessage } from './messages.ts';
import { SharedSemaphores } from './shared-semaphores.ts';
import type { WorkerProcess } from './worker-process.ts';
import { responderToWorkers, type SharedParts } from './worker-requests.ts';

describe('what a worker requests of its control process', () => {
  const messages: readonly WorkerMessage[] = [
    { kind: 'take-slots', call: 1, count: 2, address: '192.0.2.1' },
    { kind: 'acquire', call: 2, key: 'a', most: 5 },
  ];

  for (const [state, taken] of [
    ['serving', [2, 1]],
    ['draining', [2, 1]],
    // Its end has been seen, and what it held was taken back: a message that comes after that takes nothing.
    ['ended', [0, 0]],
  ] as const)
    it(`takes ${taken.join(' and ')} of slots and permits for one that is ${state}`, () => {
      const slots = new ConnectionSlots<WorkerProcess>({ most: 10, mostPerAddress: 10 });
      const semaphores = new SharedSemaphores<WorkerProcess>();
      // The other parts serve other messages.
      const parts = { slots, semaphores } as unknown as SharedParts;
      const worker = { state, send: () => undefined } as unknown as WorkerProcess;
      for (const message of messages) responderToWorkers(parts)(worker, message, undefined);
      expect([slots.leased, semaphores.size]).to.deep.equal(taken);
    });
});
