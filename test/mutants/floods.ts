import { faultsIn, type Mutant } from './mutant.ts';

const server = 'packages/proxy/src/server';

/** What leaves other clients their turn while one floods. */
export const floodMutants: readonly Mutant[] = [
  ...faultsIn(
    `${server}/tls/secure-entrypoint.ts`,
    [`${server}/tls/first-flight.slow.test.ts`],
    [
      [
        'all handshakes that have come begin in one turn',
        'if (!hasBegun && waiting === 0) {',
        'if (socket !== undefined) {',
      ],
      ['a client that leaves within its handshake is waited for', 'socket.allowHalfOpen = false;', ''],
      ['a client over TLS that ends its side gets no response', 'secured.allowHalfOpen = true;', ''],
      ['what is no TLS is counted as refused', "read.kind === 'none' && read.cause === 'hello-too-large'", 'true'],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/transport/fair-turn.ts',
    ['packages/proxy/src/transport/fair-turn.test.ts', 'packages/proxy/src/transport/endpoint-connection.test.ts'],
    [
      [
        'full connections of clients that left are held',
        'if (dropping.length > mostDropping) {',
        'if (dropping.length < 0) {',
      ],
      [
        'a connection that is resumed for each read has no share',
        'if (this.#owesTurn) this.end();',
        'if (false) this.end();',
      ],
      [
        'what is resumed before its turn is read at once',
        'else if (!this.#isYielding) this.#socket',
        'else this.#socket',
      ],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/transport/small-pieces.ts',
    ['packages/proxy/src/transport/small-pieces.test.ts'],
    [
      ['all that wait are read on at once', 'if (due.length === mostInSpan) break;', ''],
      ['what comes later is read before those that wait', 'if (this.#waiting.length > 0) return false;', ''],
      ['closed connections hold up others', 'if (!waiting.socket.destroyed) due', 'due'],
      ['small pieces that wait are read on together', '    if (this.#waiting.length > 0) this.#nextSpan();\n', ''],
      ['no small piece waits', 'return this.#leftInSpan >= 0;', 'return true;'],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/control/admin/change-pace.ts',
    ['packages/proxy/src/control/admin/change-pace.test.ts'],
    [
      ['changes have no pace', 'if (this.#isServing && this.#left < 1) return false;', ''],
      ['changes wait where no request is served', 'if (this.#isServing && this.#left < 1)', 'if (this.#left < 1)'],
      ['changes wait for the requests of other processes', ' || workerMetrics !== undefined', ''],
      [
        'a later change overtakes those that wait',
        'if (this.#waiting.length === 0 && this.#take())',
        'if (this.#take())',
      ],
      ['one change that waits goes on, the others never', 'if (this.#waiting.length > 0) this.#nextInTime();', ''],
      ['a long pause allows a storm', 'Math.min(mostAtOnce, ', 'Math.max(0, '],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/control/admin/changes.ts',
    ['packages/proxy/src/control/admin/change-pace.test.ts'],
    [['a change is written before its turn', '    await this.#pace?.turn();\n', '']],
  ),
  ...faultsIn(
    'packages/registry/src/store/embedded-thread.ts',
    ['packages/registry/src/store/embedded-store.test.ts'],
    [['changes take the core of requests', 'yieldCore();\nconst', 'const']],
  ),
  ...faultsIn(
    `${server}/http1/client-reading.ts`,
    [`${server}/http1/connection-share.test.ts`],
    [
      ['a body byte by byte takes as many reads', 'else if (bytes < smallPieceBytes && !body.done)', 'else if (false)'],
      ['the end of a body waits for small pieces of others', '&& !body.done) this', ') this'],
      ['an upload in a few writes waits for those of others', 'this.#smallPieces > mostSmallPiecesAtOnce', 'true'],
      ['a request inherits the small pieces of the one before', '    this.#smallPieces = 0;\n', ''],
    ],
  ),
  ...faultsIn(
    `${server}/relay/relay-direction.ts`,
    [`${server}/relay/relay-direction.slow.test.ts`],
    [
      [
        'one side of a relay is read on for the other, which takes nothing',
        '() => !to.writableNeedDrain',
        '() => true',
      ],
      [
        'a relay makes a buffer for each read',
        'const isInPlace = readInPlace(',
        'const isInPlace = ((..._: unknown[]) => false)(',
      ],
    ],
  ),
  ...faultsIn(
    `${server}/http1/response-writer.ts`,
    [`${server}/http1/response-writer.test.ts`],
    [['a response over TLS is read in pieces that it has no buffers for', "'rest' : 'all'", "'rest' : 'rest'"]],
  ),
  ...faultsIn(
    'packages/proxy/src/transport/direct-write.ts',
    ['packages/proxy/src/transport/direct-write.test.ts'],
    [
      ['what belongs below TLS is sent as it is', ' || socket instanceof TLSSocket', ''],
      ['a piece overtakes what waits before it', ' || socket.writableLength > 0', ''],
      ['a reset ends the process', 'return 0;\n  }\n}', 'throw new Error();\n  }\n}'],
    ],
  ),
];
