import { isDeepStrictEqual } from 'node:util';
import {
  isForTraefik,
  readTraefikLabels,
  type TraefikOptions,
  type TraefikService,
  type TraefikTranslation,
  translateTraefik,
} from '@swarmgate/labels';
import type { SwarmService } from '../swarm/swarm-objects.ts';
import type { SwarmView } from '../swarm/swarm-view.ts';

/** What the `traefik.*` labels of a Swarm ask for. Its names are shared, so one service can change what another one gets. */
export interface TraefikServices {
  /** Takes the services of these ids as they are now. The result: ids whose translation differs from before. */
  take(view: SwarmView, ids: Iterable<string>): ReadonlySet<string>;
  /** `undefined`: the service is not for Traefik, or is served by other labels, or not at all. */
  translationOf(id: string): TraefikTranslation | undefined;
}

/**
 * @param servedOtherwise services whose `com.df.*` labels hold: their routers are not served, their names hold for others
 */
export function createTraefikServices(
  options: TraefikOptions,
  servedOtherwise: (service: SwarmService) => boolean,
): TraefikServices {
  const known = new Map<string, { readonly versionIndex: number; readonly service: TraefikService }>();
  let translations: ReadonlyMap<string, TraefikTranslation> = new Map();

  /** Whether what is known of it changed. */
  function takeService(id: string, service: SwarmService | undefined): boolean {
    const before = known.get(id);
    if (service === undefined || !isForTraefik(service.labels, options)) return known.delete(id);
    if (before?.versionIndex === service.versionIndex) return false;
    known.set(id, { versionIndex: service.versionIndex, service: traefikServiceOf(service, servedOtherwise(service)) });
    return true;
  }

  return {
    take(view, ids) {
      let isChanged = false;
      for (const id of ids) isChanged = takeService(id, view.services.get(id)) || isChanged;
      if (!isChanged) return new Set();
      const former = translations;
      // The dates are given where the definition is made, so that equal translations compare equal.
      translations = translateTraefik(
        [...known.values()].map(({ service }) => service),
        options,
        0,
      );
      const differing = [...new Set([...former.keys(), ...translations.keys()])];
      return new Set(differing.filter((id) => !isDeepStrictEqual(former.get(id), translations.get(id))));
    },
    translationOf(id) {
      return known.get(id)?.service.namesOnly === true ? undefined : translations.get(id);
    },
  };
}

/** Whether a service has labels of that family at all. */
export function hasTraefikLabels({ labels }: Pick<SwarmService, 'labels'>): boolean {
  return Object.keys(labels).some((label) => /^traefik\./i.test(label));
}

export function traefikServiceOf(service: SwarmService, isServedOtherwise: boolean): TraefikService {
  const { id, name, createdAt, labels, mode, ports } = service;
  const isOff = mode.kind === 'job' || (mode.kind === 'replicated' && mode.replicas === 0);
  return {
    id,
    name,
    createdAt,
    labels,
    read: readTraefikLabels(labels),
    targetPorts: ports.filter(({ protocol }) => protocol === 'tcp').map(({ target }) => target),
    ...(isOff || isServedOtherwise ? { namesOnly: true } : {}),
  };
}
