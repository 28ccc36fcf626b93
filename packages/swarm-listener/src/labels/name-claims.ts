import type { Problem } from '@swarmgate/registry';
import { isName } from '@swarmgate/runtime';
import type { TranslatedService } from './translate-service.ts';

/**
 * One service for each published name. Two stacks may shorten to the same name: the service that was created first
 * keeps it (then the lower id), and a problem beside it names the others. Pure.
 */
export function settleNames(translated: Iterable<TranslatedService>): ReadonlyMap<string, TranslatedService> {
  const settled = new Map<string, TranslatedService>();
  for (const [name, claimants] of Map.groupBy(translated, (service) => service.name)) {
    const [winner, ...losers] = claimants.toSorted(byAge);
    // Docker's names all fit, but DF_SERVICE_NAME_PREFIX may spoil one. Its problems are in the log only: without a name there is no key to write them under.
    if (winner === undefined || !isName(name)) continue;
    settled.set(
      name,
      losers.length === 0 ? winner : { ...winner, problems: [...winner.problems, ...losers.map(takenProblem)] },
    );
  }
  return settled;
}

function byAge(left: TranslatedService, right: TranslatedService): number {
  const [a, b] = [`${left.createdAt} ${left.serviceId}`, `${right.createdAt} ${right.serviceId}`];
  return a < b ? -1 : a > b ? 1 : 0;
}

function takenProblem(loser: TranslatedService): Problem {
  return {
    severity: 'warning',
    reason: 'service-name-taken',
    message: `${loser.endpoints.dnsName} is not published: it would have the same name, ${loser.name}, and is the newer one`,
    suggestion: `take com.df.shortName off ${loser.endpoints.dnsName}, or rename it`,
  };
}
