import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { services } from '../forwarding/cases.ts';

/** Swap so many times, at 100 a second; or write a snapshot of all services. */
export type SubjectOrder = { readonly swaps: number } | { readonly snapshot: true };

export type SubjectMessage =
  | {
      readonly kind: 'serving';
      readonly port: number;
      /** Of the process that serves requests. */
      readonly pid: number;
      /** All that do. */
      readonly workers: readonly number[];
    }
  | { readonly kind: 'done' };

/** The proxy under measurement, in processes of its own. */
export interface Subject {
  readonly port: number;
  readonly pid: number;
  readonly workers: readonly number[];
  swap(times: number): Promise<void>;
  /** As `control/watch` does after a change. */
  writeSnapshot(): Promise<void>;
  stop(): Promise<void>;
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

export async function startSubject(
  backendPort: number,
  env: Readonly<Record<string, string>>,
  size = services,
): Promise<Subject> {
  const child = fork(here('./proxy-subject.ts'), [String(backendPort), String(size)], {
    env: { ...process.env, ...env },
  });
  const first = await next(child);
  if (first.kind !== 'serving') throw new Error(`the proxy said ${first.kind} before it served`);
  return {
    port: first.port,
    pid: first.pid,
    workers: first.workers,
    swap: (times) => order(child, { swaps: times }),
    writeSnapshot: () => order(child, { snapshot: true }),
    async stop() {
      const ended = once(child, 'exit');
      child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

async function order(child: ChildProcess, what: SubjectOrder): Promise<void> {
  const done = next(child);
  child.send(what);
  await done;
}

function next(child: ChildProcess): Promise<SubjectMessage> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`the proxy ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      // Only the parent process writes to this channel.
      resolve(message as SubjectMessage);
    });
  });
}
