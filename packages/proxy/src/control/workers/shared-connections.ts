import type { FaultOwner } from '@swarmgate/runtime';
import { ConnectionCounts, createCountsFile } from './connection-counts.ts';
import { ConnectionPlacement } from './connection-placement.ts';
import type { ConnectionsPlace } from './messages.ts';
import type { WorkerProcess } from './worker-process.ts';

/** What the control process has of the connections of all workers. */
export interface SharedConnections {
  /** Of the counts, for `stdio` of a worker. */
  readonly fd: number;
  readonly placement: ConnectionPlacement<WorkerProcess>;
  /** For a worker that gets the counts as descriptor `fd`. */
  placeOf(own: number, fd: number): ConnectionsPlace;
  close(): void;
}

/** `undefined`: a single worker has nothing to share, and where counts cannot be shared all keep what they accept. */
export function shareConnections(workers: number, owner: FaultOwner): SharedConnections | undefined {
  if (workers < 2) return undefined;
  // A worker that drains keeps its place while others take over.
  const places = 2 * workers + 2;
  const fd = createCountsFile(places);
  if (fd === undefined) return undefined;
  const counts = new ConnectionCounts(fd, places, owner);
  return {
    fd,
    placement: new ConnectionPlacement(counts, owner),
    placeOf: (own, inherited) => ({ fd: inherited, places, own }),
    close: () => counts.close(),
  };
}
