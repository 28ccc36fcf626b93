import type { ItemVersions } from './item-versions.ts';

/** The present state, as the streams of `GET /v1/events` take it. */
export interface StateSource {
  /** Others after the state was forgotten: versions of these do not count then. */
  readonly items: ItemVersions;
  /** Everything was looked at since the first stream began: the items are the whole state. */
  readonly isWhole: boolean;
  readonly isStopped: boolean;
  /**
   * @param onChange called when any of the above may have changed
   * @param service `<owner>/<service>` whose documents and details are among the items meanwhile
   * @returns the way to end it
   */
  subscribe(onChange: () => void, service?: string): () => void;
}
