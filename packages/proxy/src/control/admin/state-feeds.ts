import type { Running, Tasks } from '@swarmgate/runtime';
import { type FeedParts, StateFeed } from './state-feed.ts';

/** One feed for each response to whose requests count; one that has no stream costs nothing. */
export class StateFeeds implements Running {
  readonly replica: StateFeed;
  readonly all: StateFeed;

  constructor(parts: FeedParts, tasks: Pick<Tasks, 'run'>) {
    this.replica = new StateFeed({ parts, scope: 'replica', tasks });
    this.all = new StateFeed({ parts, scope: 'all', tasks });
  }

  /** The table has changed. */
  look(): void {
    this.replica.look();
    this.all.look();
  }

  async stop(): Promise<void> {
    await Promise.all([this.replica.stop(), this.all.stop()]);
  }
}
