import { isDeepStrictEqual } from 'node:util';
import { dynamicFileName, entrypointsName } from '@swarmgate/labels/traefik';
import type { Observation } from '../swarm/observation.ts';
import type { SwarmService } from '../swarm/swarm-objects.ts';
import type { SwarmView } from '../swarm/swarm-view.ts';
import { resolveNames } from './name-conflicts.ts';
import { isSelected, isSelectionUnclear, type Selection, selectionOf } from './service-parameters.ts';
import { createTraefikServices } from './traefik-services.ts';
import {
  endpointsFor,
  type TranslatedService,
  type TranslationOptions,
  translateService,
} from './translate-service.ts';
import { sharedNetworksOf, translateTraefikService, withoutRoutes } from './translate-traefik-service.ts';

/** All selected services, translated, and the names that an observation affects. */
export interface Translated {
  readonly services: ReadonlyMap<string, TranslatedService>;
  readonly changed: 'all' | ReadonlySet<string>;
}

/** Translates what changed and keeps the rest, so that the cost of an observation follows the change. */
export interface Translator {
  take(observation: Observation, now: Date): Translated;
}

export interface TranslatorHooks {
  /** Called when the problems of a service differ from those before. */
  readonly onProblems: (service: TranslatedService) => void;
  /** Called for a service that requests no routes, once for each of its versions. */
  readonly onSkipped?: (service: SwarmService, selection: Selection) => void;
}

/** What `TRAEFIK_FILE` and the entrypoints define has no tasks: it leads to servers by their URLs, or nowhere. */
const besideSwarm: ReadonlySet<string> = new Set([dynamicFileName, entrypointsName]);

const asService = (name: string): SwarmService => ({
  id: name,
  name,
  versionIndex: 0,
  createdAt: '',
  labels: {},
  mode: { kind: 'replicated', replicas: 1 },
  networks: [],
  virtualIps: [],
  ports: [],
});

export function createTranslator(options: TranslationOptions, hooks: TranslatorHooks): Translator {
  const skipped = new Map<string, number>();
  const readsDf = options.families?.includes('df') !== false;
  const traefik =
    options.traefik === undefined
      ? undefined
      : createTraefikServices(
          options.traefik,
          (service) => readsDf && (isSelected(service, options) || isSelectionUnclear(service, options)),
          options.traefikFlags,
          options.traefikFile,
        );
  const known = new Map<string, { readonly swarmId: string; readonly translated: TranslatedService }>();

  const currentOptions = (): TranslationOptions =>
    traefik === undefined ? options : { ...options, traefik: traefik.options() };

  /** With the problems of its flags, where it is the Traefik of the Swarm. */
  function translate(
    serviceId: string,
    view: SwarmView,
    now: Date,
    ofOthers: ReadonlySet<string>,
  ): TranslatedService | undefined {
    if (besideSwarm.has(serviceId)) return translateBeside(serviceId, view, now, ofOthers);
    const service = view.services.get(serviceId);
    if (service === undefined) return undefined;
    const translated = translateLabels(serviceId, service, view, now, ofOthers);
    const problems = traefik?.flagProblemsOf(serviceId) ?? [];
    const isReported = problems.every((problem) => translated?.problems.includes(problem) === true);
    if (isReported) return translated;
    const reported = translated ?? withoutRoutes(service, view, options);
    return { ...reported, problems: [...reported.problems, ...problems] };
  }

  /** What is defined beside the Swarm, and its problems, as of a service of its own. */
  function translateBeside(
    name: string,
    view: SwarmView,
    now: Date,
    ofOthers: ReadonlySet<string>,
  ): TranslatedService | undefined {
    const before = known.get(name);
    if (!ofOthers.has(name) && before?.swarmId === view.swarmId) return before.translated;
    const translation = traefik?.translationOf(name);
    if (translation === undefined) return undefined;
    if (translation.destinations.length === 0 && translation.problems.length === 0) return undefined;
    return translateTraefikService(asService(name), translation, view, currentOptions(), now);
  }

  function translateLabels(
    serviceId: string,
    service: SwarmService,
    view: SwarmView,
    now: Date,
    ofOthers: ReadonlySet<string>,
  ): TranslatedService | undefined {
    const before = known.get(serviceId);
    const isSame = before?.swarmId === view.swarmId && before.translated.source.versionIndex === service.versionIndex;
    if (!isSame || ofOthers.has(serviceId)) {
      const translation = traefik?.translationOf(serviceId);
      if (translation !== undefined) return translateTraefikService(service, translation, view, currentOptions(), now);
      return readsDf ? translateService(service, view, options, now) : undefined;
    }
    // Only its tasks and nodes can differ.
    const { translated } = before;
    const isOfTraefik = traefik?.translationOf(serviceId) !== undefined;
    const sharedNetworks = isOfTraefik ? sharedNetworksOf(service, currentOptions()) : undefined;
    const endpoints = endpointsFor(service, translated.name, view, options.owner, sharedNetworks);
    return isDeepStrictEqual(endpoints, translated.endpoints) ? translated : { ...translated, endpoints };
  }

  function skip(id: string, service: SwarmService | undefined): void {
    if (service === undefined) {
      skipped.delete(id);
      return;
    }
    if (skipped.get(id) === service.versionIndex) return;
    skipped.set(id, service.versionIndex);
    hooks.onSkipped?.(service, selectionOf(service, options));
  }

  return {
    take({ view, changed }, now) {
      const given =
        changed === 'all' ? new Set([...known.keys(), ...skipped.keys(), ...view.services.keys()]) : changed;
      // Names of Traefik are shared: the labels of one service may change what another one gets.
      const ofOthers = traefik?.take(view, given) ?? new Set<string>();
      const ids = new Set([...given, ...ofOthers]);
      const names = new Set<string>();
      for (const id of ids) {
        const before = known.get(id)?.translated;
        const translated = translate(id, view, now, ofOthers);
        if (before !== undefined) names.add(before.name);
        if (translated === undefined) {
          known.delete(id);
          skip(id, view.services.get(id));
          continue;
        }
        skipped.delete(id);
        names.add(translated.name);
        known.set(id, { swarmId: view.swarmId, translated });
        if (!isDeepStrictEqual(before?.problems ?? [], translated.problems)) hooks.onProblems(translated);
      }
      const services = resolveNames([...known.values()].map(({ translated }) => translated));
      return { services, changed: changed === 'all' ? 'all' : names };
    },
  };
}
