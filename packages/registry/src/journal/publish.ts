import { type ServiceKey, serviceKey } from '@swarmgate/labels';
import { isName, nameExpected } from '@swarmgate/runtime';
import type { PublishOptions, PublishReport, ServiceChange } from '../registry.ts';
import { RegistryError } from '../registry-error.ts';
import type { JournalContext } from './journal-context.ts';

import { pruneHistories, removalsBetweenLooks } from './prune-histories.ts';
import type { PublishQueue } from './publish-queue.ts';

/** See `Registry.publish`. */
export async function publish(
  context: JournalContext,
  queue: PublishQueue,
  changes: readonly ServiceChange[],
  options: PublishOptions,
): Promise<PublishReport> {
  const report = await queue.publish(inNameOrder(changes), options);
  const removed = changes.filter(({ definition }) => definition?.document === null);
  for (const [owner, { length }] of Map.groupBy(removed, (change) => change.owner)) {
    if (!context.memory.countRemovals(owner, length, removalsBetweenLooks)) continue;
    try {
      await pruneHistories(context, owner, options);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      // The publication itself succeeded, and later removals prune again.
      context.logger.debug({ owner, err: error }, 'history of removed services not pruned');
    }
  }
  return report;
}

/** @throws RegistryError `registry-refused` for a name that is no part of a key, or a service that is changed twice */
function inNameOrder(changes: readonly ServiceChange[]): readonly ServiceChange[] {
  const seen = new Set<ServiceKey>();
  for (const change of changes) {
    const service = serviceKey(change);
    if (!isName(change.owner) || !isName(change.service)) {
      throw RegistryError.of('registry-refused', `${service}: expected ${nameExpected} in owner and service`);
    }
    if (seen.has(service)) throw RegistryError.of('registry-refused', `${service} is changed twice in one publication`);
    seen.add(service);
  }
  return changes.toSorted((a, b) => (serviceKey(a) < serviceKey(b) ? -1 : 1));
}
