import type { Worker as ClusterWorker } from 'node:cluster';
import type { Readable } from 'node:stream';
import { type FaultOwner, guard } from '@swarmgate/runtime';
import type { BlockReport } from '../../express/plugins/block-watch.ts';

/** Reads what a thread of the worker writes while the worker itself cannot. */
export function followBlockReports(
  child: ClusterWorker,
  fd: number | undefined,
  owner: FaultOwner,
  onReport: (report: BlockReport) => void,
): void {
  if (fd === undefined) return;
  const pipe = child.process.stdio[fd] as Readable | null | undefined;
  let text = '';
  pipe?.setEncoding('utf8');
  pipe?.on('error', () => undefined);
  pipe?.on(
    'data',
    guard(owner, (piece: string) => {
      text += piece;
      for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
        const line = text.slice(0, end);
        text = text.slice(end + 1);
        onReport(JSON.parse(line) as BlockReport);
      }
    }),
  );
}
