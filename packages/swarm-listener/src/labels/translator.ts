import { isDeepStrictEqual } from 'node:util';
import type { Observation } from '../swarm/observation.ts';
import type { SwarmView } from '../swarm/swarm-view.ts';
import { settleNames } from './name-claims.ts';
import {
  endpointsFor,
  type TranslatedService,
  type TranslationOptions,
  translateService,
} from './translate-service.ts';

/** Everything selected, translated; and which names an observation touched. */
export interface Translated {
  readonly services: ReadonlyMap<string, TranslatedService>;
  readonly changed: 'all' | ReadonlySet<string>;
}

/** Translates what changed and remembers the rest, so that the cost of an observation follows the change. */
export interface Translator {
  take(observation: Observation, now: Date): Translated;
}

/** @param onProblems is called when the problems of a service are others than before. */
export function createTranslator(
  options: TranslationOptions,
  onProblems: (service: TranslatedService) => void,
): Translator {
  const known = new Map<string, { readonly swarmId: string; readonly translated: TranslatedService }>();

  function translate(serviceId: string, view: SwarmView, now: Date): TranslatedService | undefined {
    const service = view.services.get(serviceId);
    if (service === undefined) return undefined;
    const before = known.get(serviceId);
    const isSame = before?.swarmId === view.swarmId && before.translated.source.versionIndex === service.versionIndex;
    if (!isSame) return translateService(service, view, options, now);
    // Only its tasks or its nodes can be different.
    const endpoints = endpointsFor(service, before.translated.name, view, options.owner);
    const { translated } = before;
    return isDeepStrictEqual(endpoints, translated.endpoints) ? translated : { ...translated, endpoints };
  }

  return {
    take({ view, changed }, now) {
      const ids = changed === 'all' ? new Set([...known.keys(), ...view.services.keys()]) : changed;
      const names = new Set<string>();
      for (const id of ids) {
        const before = known.get(id)?.translated;
        const translated = translate(id, view, now);
        if (before !== undefined) names.add(before.name);
        if (translated === undefined) {
          known.delete(id);
          continue;
        }
        names.add(translated.name);
        known.set(id, { swarmId: view.swarmId, translated });
        if (!isDeepStrictEqual(before?.problems ?? [], translated.problems)) onProblems(translated);
      }
      const services = settleNames([...known.values()].map(({ translated }) => translated));
      return { services, changed: changed === 'all' ? 'all' : names };
    },
  };
}
