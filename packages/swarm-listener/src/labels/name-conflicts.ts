import type { Problem } from '@swarmgate/registry';
import { isName } from '@swarmgate/runtime';
import type { TranslatedService } from './translate-service.ts';

/**
 * One service for each published name. Where services of two stacks shorten to the same name, the service that was created
 * first gets it (then the lower id), and a problem of that service names the others. Pure.
 */
export function resolveNames(translated: Iterable<TranslatedService>): ReadonlyMap<string, TranslatedService> {
  const settled = new Map<string, TranslatedService>();
  for (const [name, candidates] of Map.groupBy(translated, (service) => service.name)) {
    const [winner, ...losers] = candidates.toSorted(byAge);
    // Docker's own names are valid, but DF_SERVICE_NAME_PREFIX can make one invalid. Its problems are only logged: without a
    // valid name there is no key to write them under.
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
    message: `${loser.endpoints.dnsName} is not published: its name would be ${loser.name}, which an older service has`,
    suggestion: `remove com.df.shortName from ${loser.endpoints.dnsName}, or rename it`,
  };
}
