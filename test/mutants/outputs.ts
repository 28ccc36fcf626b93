import { faultsIn, type Mutant } from './mutant.ts';

const runtime = 'packages/runtime/src';
const transport = 'packages/proxy/src/transport';

/** What leaves a process: its log, and the order and the ends of what connections write. */
export const outputMutants: readonly Mutant[] = [
  ...faultsIn(
    `${runtime}/log-lines.ts`,
    [`${runtime}/log-lines.test.ts`],
    [
      ['lines that no reader takes fill the memory', 'this.#waiting.length >= mostWaiting || ', ''],
      [
        'long lines that no reader takes fill the memory',
        ' || this.#waitingLength + line.length > mostWaitingLength',
        '',
      ],
      ['no line says what was dropped', 'if (this.#isBlocked || this.#dropped === 0) return;', 'return;'],
      ['what was dropped is counted again', 'this.#dropped = 0;\n    const time', 'const time'],
      ['lines are pushed at a reader that does not keep up', '    this.#isBlocked = true;\n', ''],
      ['no line follows a reader that was slow once', 'this.#isBlocked = false;', ''],
      ['the room that left lines had is not given back', 'this.#waitingLength -= line.length;', ''],
      [
        'the last lines are lost with the process',
        'for (const line of this.#waiting.splice(0)) output.write(line);',
        '',
      ],
    ],
  ),
  ...faultsIn(
    `${runtime}/standard-output.ts`,
    [`${runtime}/standard-output.process.test.ts`],
    [
      ['a disk that was full once gets nothing more', '        else done();\n      });', '      });'],
      ['the last lines of a file are lost', "process.once('exit', () => this.#flush());", ''],
      ['what has left still counts', 'for (const { text } of batch) this.writableLength -= text.length;', ''],
      ['no writer is notified that its text has left', 'for (const { done } of batch) done?.();', ''],
    ],
  ),
  ...faultsIn(
    `${transport}/fair-turn.ts`,
    [`${transport}/fair-turn.test.ts`],
    [
      ['all that have had their share are read on in one turn', 'reading.slice(0, mostReadInTurn)', 'reading.slice(0)'],
      ['all work of a turn is done at once', 'working.slice(0, 1)', 'working.slice(0)'],
      ['a reader that begins to wait in a turn is lost', 'reading.splice(0, reads.length)', 'reading.splice(0, 2)'],
      ['work that begins to wait in a turn is lost', 'working.splice(0, works.length)', 'working.splice(0, 1)'],
      ['a connection that something else paused is read on', 'if (isReading()) socket.resume();', 'socket.resume();'],
      [
        'a connection goes on in the same turn',
        '  setImmediate(() => {\n    const [works',
        '  process.nextTick(() => {\n    const [works',
      ],
    ],
  ),
  ...faultsIn(
    `${transport}/turn-end.ts`,
    [`${transport}/turn-end.test.ts`],
    [
      [
        'clients are written to before endpoints',
        "(to === 'endpoint' ? toEndpoints : toClients)",
        "(to === 'client' ? toEndpoints : toClients)",
      ],
      ['one connection that fails loses what the others write', 'writer.onFault(error);', 'throw error;'],
    ],
  ),
  ...faultsIn(
    `${transport}/read-buffer.ts`,
    [`${transport}/read-buffer.test.ts`],
    [
      [
        'bytes of one endpoint reach the client of another',
        'if (copies !== undefined || !isShared(read)) return read;',
        'return read;',
      ],
      ['bytes that a slow client has yet to take are overwritten', 'this.#own = undefined;', ''],
      [
        'a receiver that keeps bytes goes unnoticed',
        "if (isShared(buffer)) throw new Error('bytes in the buffer of all connections were kept');",
        '',
      ],
    ],
  ),
  ...faultsIn(
    `${transport}/reset.ts`,
    ['packages/proxy/test/server-behaviour.slow.test.ts', 'packages/proxy/test/unsent-requests.slow.test.ts'],
    [
      [
        'a tunnel that a client resets ends in order at an endpoint in plain text',
        'socket.resetAndDestroy();\n    return;',
        'socket.destroy();\n    return;',
      ],
      [
        'a tunnel that an endpoint resets ends in order at a client behind TLS',
        'if (socketBelow !== undefined) socketBelow.resetAndDestroy();',
        'if (socketBelow !== undefined) socketBelow.destroy();',
      ],
      ['a tunnel that a client resets ends in order at an endpoint behind TLS', 'else closeByReset(socket);', ''],
    ],
  ),
];
