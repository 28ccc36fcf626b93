import { silentLogger } from '@swarmgate/runtime';
import type { AdminParts } from '../src/control/admin/admin-parts.ts';
import { LongResponses } from '../src/control/admin/long-responses.ts';
import { ItemVersions } from '../src/control/live/item-versions.ts';
import type { StateSource } from '../src/control/live/state-source.ts';

/** What the streams of the admin port need, over one feed for both views. */
export function streamParts(feed: Partial<StateSource>, more: Partial<AdminParts> = {}): AdminParts {
  const whole = { items: new ItemVersions(), isWhole: true, subscribe: () => () => undefined, ...feed };
  return {
    settings: {},
    logger: silentLogger,
    draining: () => false,
    long: new LongResponses(),
    feeds: { replica: whole, all: whole },
    ...more,
  } as unknown as AdminParts;
}
