import { readFileSync, writeSync } from 'node:fs';
import { type Debugger, Session } from 'node:inspector';
import { parentPort, workerData } from 'node:worker_threads';
// Types alone: the thread loads nothing but what Node has.
import type { BlockReport, BlockWatchData } from './block-watch.ts';

const { shared, plugins, reportFd, afterMs, looks }: BlockWatchData = workerData;
const beats = new Int32Array(shared);
/** One that waits in a system call shows where it is only when that returns. */
const looksForWaiting = 3;
/** One that computes shows it soon; where processors are scarce, later. */
const looksForComputing = 15;
/** Of a process that a plug-in may block, where none can be identified: all that may be the cause are named. */
const looksInDoubt = 5 * looks;
const mostFrames = 20;

/** The thread that is watched, halted for the moment that it takes to read its calls. */
class HaltedThread {
  readonly #session = new Session();
  readonly #urls = new Map<string, string>();

  /** @param onFrames called once, unless `leave` comes before */
  constructor(onFrames: (frames: readonly string[]) => void) {
    const session = this.#session;
    session.connectToMainThread();
    session.on('Debugger.scriptParsed', ({ params }) => this.#urls.set(params.scriptId, params.url));
    session.on('Debugger.paused', ({ params }) => {
      const frames = params.callFrames.slice(0, mostFrames).map((frame) => this.#shown(frame));
      this.leave();
      onFrames(frames);
    });
    session.post('Debugger.enable', () => undefined);
    session.post('Debugger.pause', () => undefined);
  }

  leave(): void {
    this.#session.post('Debugger.disable', () => undefined);
    this.#session.disconnect();
  }

  #shown({ functionName, location }: Debugger.CallFrame): string {
    const place = `${this.#urls.get(location.scriptId) ?? ''}:${location.lineNumber + 1}`;
    return functionName === '' ? place : `${functionName} (${place})`;
  }
}

let last = -1;
/** Looks in a row that found no beat. They are counted, not timed: a process that was halted as a whole did not block. */
let silent = 0;
/** What is known of the present silence. */
let isReported = false;
let halted: HaltedThread | undefined;

function look(): void {
  const beat = Atomics.load(beats, 0);
  if (beat !== last) {
    last = beat;
    silent = 0;
    isReported = false;
    halted?.leave();
    halted = undefined;
    return;
  }
  silent += 1;
  if (isReported) return;
  if (silent === looks) halt();
  // The call that is under way is the plug-in's, whatever it waits for.
  const isOver = silent >= looks + looksForComputing || (silent >= looks + looksForWaiting && isWaiting());
  if (isOver) report(plugins[Atomics.load(beats, 1) - 1]?.name, []);
  if (silent === looksInDoubt) report(plugins.map(({ name }) => name).join(' or '), []);
}

function halt(): void {
  try {
    halted = new HaltedThread((frames) => {
      halted = undefined;
      // Without a frame of a plug-in it is one whose call waits, or the proxy itself: that is no plug-in's fault.
      const found = plugins.find(({ path }) => frames.some((frame) => frame.includes(path)));
      report(found?.name ?? plugins[Atomics.load(beats, 1) - 1]?.name, frames);
    });
  } catch {
    // A debugger is attached: names come from the calls alone.
    halted = undefined;
  }
}

/** By the state of the process's main thread, as Linux shows it; elsewhere it is taken to wait. */
function isWaiting(): boolean {
  try {
    const stat = readFileSync(`/proc/self/task/${process.pid}/stat`, 'latin1');
    return stat[stat.lastIndexOf(')') + 2] !== 'R';
  } catch {
    return true;
  }
}

function report(plugin: string | undefined, frames: readonly string[]): void {
  if (isReported || plugin === undefined || plugin === '') return;
  isReported = true;
  const stack = frames.length === 0 ? {} : { stack: frames.join('\n') };
  const said: BlockReport = { plugin, blockedMs: Math.round((silent * afterMs) / looks), ...stack };
  if (reportFd === undefined) parentPort?.postMessage(said);
  else writeSync(reportFd, `${JSON.stringify(said)}\n`);
}

setInterval(look, afterMs / looks);
