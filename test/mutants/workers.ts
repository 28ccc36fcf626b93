import { faultsIn, type Mutant } from './mutant.ts';

const workers = 'packages/proxy/src/control/workers';

/** Connections between workers: their shares, their way from one to another, their places under the limit. */
export const workerMutants: readonly Mutant[] = [
  ...faultsIn(
    `${workers}/equal-texts.ts`,
    [`${workers}/equal-texts.test.ts`],
    [['equal texts inside of documents are kept apart', 'else share(value, known);', '']],
  ),
  ...faultsIn(
    `${workers}/connection-placement.ts`,
    [`${workers}/connection-placement.test.ts`],
    [
      [
        'connections on their way to a worker that ends are lost',
        'for (const connection of leaving) this.handedOver(worker, connection);',
        '',
      ],
      [
        'a connection is closed before the worker has it',
        'place.leaving.add(connection);',
        'connection.handle.close();',
      ],
      [
        'a connection that was accepted before a drain is closed',
        "if (own?.worker.state === 'draining') best ??= own;",
        '',
      ],
      ['a halted worker is offered connections again', 'place.isLate = true;', ''],
      [
        'a worker that drains gets connections',
        'if (isServing(place)) this.#give(place, connection);',
        'if (true) this.#give(place, connection);',
      ],
      ['a worker has what the one before it in its place had', 'this.#counts.writeOfWorker(at, 0, 0);', ''],
      [
        'connections on their way are not counted',
        'return this.#counts.openOf(at) + waiting.length;',
        'return this.#counts.openOf(at);',
      ],
    ],
  ),
  ...faultsIn(
    `${workers}/connection-counts.ts`,
    [`${workers}/connection-share.test.ts`, `${workers}/connection-placement.test.ts`],
    [
      [
        'a file that cannot be read costs every connection',
        'this.#isUsable = false;\n    this.#owner.onFault(error);',
        'this.#isUsable = false;\n    throw error;',
      ],
      [
        'what was read before an error spreads connections',
        'this.#isUsable = false;\n    this.#owner.onFault(error);',
        'this.#owner.onFault(error);',
      ],
    ],
  ),
  ...faultsIn(
    `${workers}/connection-share.ts`,
    [`${workers}/connection-share.test.ts`],
    [
      ['connections that end at once are spread', 'if (this.#isBrief) return true;', ''],
      ['one busy moment ends the spreading', 'this.#isBrief = isBusy && this.#wasBusy;', 'this.#isBrief = isBusy;'],
      ['workers that do not serve have a share', '|| !counts.isServing(other)', ''],
      ['connections go back and forth at equal counts', 'own > least + 1 && ', ''],
      ['closed connections count on', 'this.#open -= 1;', ''],
    ],
  ),
  ...faultsIn(
    `${workers}/hand-over-progress.ts`,
    [`${workers}/hand-over-progress.test.ts`],
    [
      ['each one that waits lets another one wait', 'if (this.#waiting === 0) this.#sinceMs', 'this.#sinceMs'],
      [
        'a long line that moves is taken for a stuck one',
        'this.#waiting -= 1;\n    this.#sinceMs = this.#now();',
        'this.#waiting -= 1;',
      ],
    ],
  ),
  ...faultsIn(
    `${workers}/leased-connections.ts`,
    [`${workers}/connection-slots.test.ts`],
    [
      [
        'a control process that does not respond stops clients',
        'if (granted === undefined) return this.#admitAlone(socket);',
        '',
      ],
      ['no limit holds while it does not respond', 'if (this.#share === 0 || this.open < this.#share)', 'if (true)'],
      ['a connection that was gone is counted for good', 'if (socket.destroyed) return false;', ''],
    ],
  ),
  ...faultsIn(
    `${workers}/worker-requests.ts`,
    [`${workers}/worker-requests.test.ts`],
    [
      [
        'what a worker requested last stays taken',
        "taken back: these would stay taken.\n        if (worker.state === 'ended') return;",
        'taken back: these would stay taken.',
      ],
    ],
  ),
];
