import type { Readable } from 'node:stream';
import type Docker from 'dockerode';

export interface ServiceEvents extends AsyncDisposable {
  /** When the next `update` event of the service was made, by Docker's clock, in milliseconds since the epoch. */
  next(): Promise<number>;
}

/** Docker's own events of one service, as the listener gets them. */
export async function serviceEvents(docker: Docker, service: string): Promise<ServiceEvents> {
  const stream = (await docker.getEvents({ filters: { type: ['service'], service: [service] } })) as Readable;
  const waiting: ((atMs: number) => void)[] = [];
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines.filter(Boolean)) {
      const event = JSON.parse(line) as { readonly Action: string; readonly timeNano: number };
      // Beyond a safe integer by a few bits: less than a microsecond is lost.
      if (event.Action === 'update') waiting.shift()?.(event.timeNano / 1e6);
    }
  });
  stream.on('error', () => {});
  return {
    next: () => new Promise((resolve) => waiting.push(resolve)),
    [Symbol.asyncDispose]: async () => {
      stream.destroy();
    },
  };
}
