import { networkOf } from '../../middleware/limits/rate-limit.ts';
import type { Release, Semaphores } from '../../middleware/limits/semaphores.ts';
import type { RelayGroup } from './relay-plan.ts';

/** Counts a connection of a client against every limit of a group. `undefined`: one of them is reached. */
export async function acquireAll(
  { inFlight }: Pick<RelayGroup, 'inFlight'>,
  address: string,
  semaphores: Semaphores,
): Promise<Release | undefined> {
  const acquired: Release[] = [];
  const releaseAll = () => {
    for (const release of acquired) release();
  };
  for (const { scope, most } of inFlight) {
    const release = await semaphores.acquire(`${scope}:${networkOf(address)}`, most);
    if (release === undefined) {
      releaseAll();
      return undefined;
    }
    acquired.push(release);
  }
  return releaseAll;
}
