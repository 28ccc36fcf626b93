import { faultsIn, type Mutant } from './mutant.ts';

const runtime = 'packages/runtime/src';
const proxy = 'packages/proxy/src';

/** What contains faults of the proxy itself: guards, control tasks, connections. */
export const faultMutants: readonly Mutant[] = [
  ...faultsIn(
    `${proxy}/control/watch/snapshot-keeper.ts`,
    [`${proxy}/control/watch/snapshot-keeper.test.ts`],
    [
      [
        'a snapshot that the disk refused waits for the next change',
        'if (!this.#stopped) this.#flushIn(betweenRetriesMs);',
        '',
      ],
      ['an older snapshot takes the place of a later one', 'this.#latest ??= snapshot;', 'this.#latest = snapshot;'],
      ['nothing reports that no snapshot is written', 'this.#refusal = messageOf(error);', ''],
      ['a snapshot that is written again stays a problem', '      this.#refusal = undefined;\n', ''],
      ['a disk that hangs is no problem', 'tookMs > longestWriteMs', 'false'],
    ],
  ),
  ...faultsIn(
    `${proxy}/control/serving/resource-problems.ts`,
    [`${proxy}/control/serving/resource-problems.test.ts`],
    [['memory is reported at its limit, not before', 'const lowFrom = 0.9;', 'const lowFrom = 1;']],
  ),
  ...faultsIn(
    `${runtime}/guard.ts`,
    [`${runtime}/guard.test.ts`],
    [
      [
        'a fault passes the guard',
        'callback(first, second);\n    } catch (error) {\n      owner.onFault(error);',
        'callback(first, second);\n    } catch (error) {\n      throw error;',
      ],
      [
        'a fault is swallowed',
        'callback(first, second);\n    } catch (error) {\n      owner.onFault(error);',
        'callback(first, second);\n    } catch (error) {',
      ],
      ['the second argument is lost', 'return callback(first, second);', 'return callback(first, undefined as B);'],
      ['a rejection is swallowed', 'owner.onFault(error));', 'undefined);'],
    ],
  ),
  ...faultsIn(
    `${runtime}/tasks.ts`,
    [`${runtime}/tasks.test.ts`],
    [
      [
        'a task that failed is not run again',
        'await pause(this.#failed(task, error), signal);',
        'this.#failed(task, error);\n        return;',
      ],
      [
        'a task is run again without a pause',
        'await pause(this.#failed(task, error), signal);',
        'this.#failed(task, error);',
      ],
      ['the pause does not grow', 'backoffMs(times - 1, firstPauseMs', 'backoffMs(0, firstPauseMs'],
      ['an abort is logged as a fault', '        if (signal.aborted) return;\n', ''],
      ['a fault stays a problem for ever', 'if (atMs < since) this.#faults.delete(task);', ''],
      ['a fault counts on after a recovery', 'atMs - known.atMs > recoveredMs ? 1', 'false ? 1'],
      [
        'a repeated step ends with its fault',
        'while (await pause(everyMs, signal)) step();',
        'if (await pause(everyMs, signal)) step();',
      ],
      ['a loop never gets the error of what it started', 'if (first !== undefined) throw first.error;', ''],
      ['a loop throws one fault for ever', '    this.#first = undefined;\n', ''],
    ],
  ),
  ...faultsIn(
    `${proxy}/server/http1/connection.ts`,
    [`${proxy}/server/http1/connection.test.ts`],
    [
      ['the connection goes on behind a fault', '    this.#writer.closeAfter();\n', ''],
      [
        'an exchange does not learn of a fault',
        'if (this.#exchange !== undefined) this.#exchange.onFault(error);',
        'if (false) return;',
      ],
      [
        'a connection stays in the books after a fault in its close',
        '    if (this.#socket.closed) this.#leave();\n',
        '',
      ],
      [
        'a connection without a request stays open',
        'this.#exchange === undefined) this.#socket.destroySoon();',
        'false) return;',
      ],
    ],
  ),
  ...faultsIn(
    `${proxy}/control/workers/worker-process.ts`,
    [`${proxy}/control/workers/worker-start.test.ts`],
    [
      ['a worker opens its ports before there is a table', '    await firstTable;\n', ''],
      [
        'what changes while a worker starts is not served',
        '    if (this.#backlog?.isEmpty === false) await this.#sendBacklog();\n',
        '',
      ],
    ],
  ),
  ...faultsIn(
    `${proxy}/control/workers/update-queue.ts`,
    [`${proxy}/control/workers/services-feed.test.ts`],
    [
      ['a change that fails is not reported', '      guardPromise(owner, applied);\n', ''],
      [
        'a change that fails holds up the next',
        'this.#applying = applied.catch(() => undefined);',
        'this.#applying = applied;',
      ],
    ],
  ),
  ...faultsIn(
    `${proxy}/express/response-events.ts`,
    [`${proxy}/express/express-router.test.ts`],
    [
      [
        'a callback of `end` ends the process',
        'process.nextTick(guard(this.handled, () => this.#finish()));',
        'process.nextTick(() => this.#finish());',
      ],
      [
        'a callback of `write` ends the process',
        'process.nextTick(guard(this.handled, () => done(error)));',
        'process.nextTick(() => done(error));',
      ],
    ],
  ),
];
