import { isDeepStrictEqual } from 'node:util';
import type { Problem } from '@swarmgate/labels';
import {
  type DynamicFile,
  dynamicFileName,
  entrypointsName,
  isForTraefik,
  readTraefikLabels,
  type TraefikOptions,
  type TraefikService,
  type TraefikTranslation,
  translateTraefik,
} from '@swarmgate/labels/traefik';
import type { SwarmService } from '../swarm/swarm-objects.ts';
import type { SwarmView } from '../swarm/swarm-view.ts';
import type { TraefikFlagsState } from './traefik-flags.ts';

/** `TRAEFIK_FILE` as it was last read. */
export interface TraefikFileState {
  /** Absent while no version could be read. */
  readonly file?: DynamicFile;
  readonly problems: readonly Problem[];
}

export interface ServiceTranslation extends TraefikTranslation {
  /** What it is depends on flags or a file that are not known: what is registered stays. */
  readonly isUnknown?: true;
}

/** What the `traefik.*` labels of a Swarm yield. Its names are shared, so one service can change what another one gets. */
export interface TraefikServices {
  /** Takes the services of these ids as they are now. The result: ids whose translation differs from before. */
  take(view: SwarmView, ids: Iterable<string>): ReadonlySet<string>;
  /** `undefined`: the service is not for Traefik, or is served by other labels, or not at all. */
  translationOf(id: string): ServiceTranslation | undefined;
  /** Of the flags of this service, where it is the Traefik that they are read of. */
  flagProblemsOf(id: string): readonly Problem[];
  /** Traefik's flags among them. */
  options(): TraefikOptions;
}

/**
 * @param flagsOf the same object as long as nothing changed; so is that of `fileOf`
 * @param servedOtherwise services whose `com.df.*` labels hold: their routers are not served, their names hold for others
 */
export function createTraefikServices(
  options: TraefikOptions,
  servedOtherwise: (service: SwarmService) => boolean,
  flagsOf?: (view: SwarmView) => TraefikFlagsState | undefined,
  fileOf?: () => TraefikFileState | undefined,
): TraefikServices {
  const known = new Map<string, { readonly versionIndex: number; readonly service: TraefikService }>();
  let translations: ReadonlyMap<string, ServiceTranslation> = new Map();
  let flags: TraefikFlagsState = { kind: 'none', options };
  let fileState: TraefikFileState | undefined;
  // While the flags are unknown, the last known options still give the names of networks.
  let current = options;
  let isFirst = true;

  /** Whether what is known of it changed. */
  function takeService(id: string, service: SwarmService | undefined): boolean {
    const before = known.get(id);
    if (service === undefined || !isTaken(service)) return known.delete(id);
    if (before?.versionIndex === service.versionIndex) return false;
    known.set(id, { versionIndex: service.versionIndex, service: traefikServiceOf(service, servedOtherwise(service)) });
    return true;
  }

  /** Without the flags all that may be for Traefik: what is registered of it stays. */
  function isTaken({ labels }: SwarmService): boolean {
    return isForTraefik(labels, flags.kind === 'unknown' ? { exposedByDefault: true } : flags.options);
  }

  function unknownOf(problems: readonly Problem[]): ReadonlyMap<string, ServiceTranslation> {
    const ids = [...known.keys(), entrypointsName, ...(fileState === undefined ? [] : [dynamicFileName])];
    return new Map(ids.map((id) => [id, { destinations: [], problems, isUnknown: true }]));
  }

  function translated(): ReadonlyMap<string, ServiceTranslation> {
    const services = [...known.values()].map(({ service }) => service);
    const { file, problems = [] } = fileState ?? {};
    if (flags.kind === 'unknown') return unknownOf([flags.problem]);
    // Its default TLS options may demand certificates of clients.
    if (fileState !== undefined && file === undefined) return unknownOf(problems);
    // The dates are given where the definition is made, so that equal translations compare equal.
    const { closesTls } = file ?? {};
    const settings = closesTls === undefined ? flags.options : { ...flags.options, closesTls };
    const all = translateTraefik(file === undefined ? services : [...services, file.service], settings, 0);
    const ofFile = all.get(dynamicFileName);
    const placed = ofFile?.problems.map((problem) => file?.placed(problem) ?? problem) ?? [];
    const reported = { destinations: ofFile?.destinations ?? [], problems: [...problems, ...placed] };
    return fileState === undefined ? all : new Map([...all, [dynamicFileName, reported]]);
  }

  return {
    take(view, given) {
      const next = flagsOf?.(view) ?? flags;
      const affected = new Set<string>();
      let ids = given;
      // Entrypoints may redirect where no service is for Traefik.
      let isChanged = isFirst;
      isFirst = false;
      if (next !== flags) {
        for (const state of [flags, next]) if (state.kind === 'read') affected.add(state.service.id);
        flags = next;
        if (next.kind !== 'unknown') current = next.options;
        known.clear();
        ids = view.services.keys();
        isChanged = true;
      }
      const nextFile = fileOf?.();
      if (nextFile !== fileState) isChanged = true;
      fileState = nextFile;
      for (const id of ids) isChanged = takeService(id, view.services.get(id)) || isChanged;
      if (!isChanged) return affected;
      const former = translations;
      translations = translated();
      for (const id of new Set([...former.keys(), ...translations.keys()]))
        if (!isDeepStrictEqual(former.get(id), translations.get(id))) affected.add(id);
      return affected;
    },
    translationOf(id) {
      return known.get(id)?.service.namesOnly === true ? undefined : translations.get(id);
    },
    flagProblemsOf(id) {
      return flags.kind === 'read' && flags.service.id === id ? flags.flags.problems : [];
    },
    options: () => current,
  };
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
