import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Destination } from '@swarmgate/registry';
import type { Holdings, SoakMessage, SoakOrder } from './soak-subject.ts';

/** The proxy under watch. One order at a time. */
export class SoakProcess {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(env: Readonly<Record<string, string>>): Promise<SoakProcess> {
    const file = fileURLToPath(new URL('./soak-subject.ts', import.meta.url));
    const child = fork(file, { execArgv: ['--expose-gc'], env: { ...process.env, ...env } });
    const first = await next(child);
    if (first.kind !== 'serving') throw new Error(`the proxy said ${first.kind} before it served`);
    return new SoakProcess(child, first.port);
  }

  async put(service: string, destination: Partial<Destination> | undefined): Promise<void> {
    await this.#order({ kind: 'put', service, destination });
  }

  async measure(): Promise<Holdings> {
    const response = await this.#order({ kind: 'measure' });
    if (response.kind !== 'measured') throw new Error(`the proxy said ${response.kind}`);
    return response.holdings;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }

  #order(order: SoakOrder): Promise<SoakMessage> {
    const response = next(this.#child);
    this.#child.send(order);
    return response;
  }
}

function next(child: ChildProcess): Promise<SoakMessage> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`the proxy ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      // Only the parent process writes to this channel.
      resolve(message as SoakMessage);
    });
  });
}
