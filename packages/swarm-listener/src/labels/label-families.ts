import { readConstraint, readEntrypointOptions, type TraefikOptions } from '@swarmgate/labels/traefik';
import { type LabelFamily, type Logger, type Settings, UsageError, usualEntrypoints } from '@swarmgate/runtime';
import type { SwarmService } from '../swarm/swarm-objects.ts';
import type { SwarmView } from '../swarm/swarm-view.ts';

/** Settings that Traefik's own flags give. Each is absent where it is not given. */
export type TraefikSettings = Pick<
  Settings,
  | 'traefikExposedByDefault'
  | 'traefikConstraints'
  | 'traefikEntrypoints'
  | 'traefikDefaultRule'
  | 'traefikNetwork'
  | 'traefikOfEntrypoints'
>;

export type FamilySettings = Pick<Settings, 'labelFamilies'> & TraefikSettings;

export interface Families {
  readonly families: readonly LabelFamily[];
  /** Absent where `LABELS` has no `traefik`. */
  readonly traefik?: TraefikOptions;
}

/** @throws UsageError for settings that cannot be read: they may keep services from being public */
export function familiesOf(settings: FamilySettings): Families {
  const { labelFamilies: families } = settings;
  return families.includes('traefik') ? { families, traefik: traefikOptionsOf(settings) } : { families };
}

/** @throws UsageError as `familiesOf` */
export function traefikOptionsOf(settings: TraefikSettings): TraefikOptions {
  const { traefikConstraints: constraints, traefikEntrypoints: entrypoints = usualEntrypoints } = settings;
  const ofEntrypoints = readEntrypointOptions(settings.traefikOfEntrypoints, entrypoints);
  if (!ofEntrypoints.ok) throw new UsageError('setting-invalid', ofEntrypoints.message);
  const options = {
    exposedByDefault: settings.traefikExposedByDefault ?? false,
    entrypoints,
    ...(ofEntrypoints.options.size === 0 ? {} : { entrypointOptions: ofEntrypoints.options }),
    defaultRule: settings.traefikDefaultRule ?? 'Host(`{{ normalize .Name }}`)',
    ...(settings.traefikNetwork === undefined ? {} : { network: settings.traefikNetwork.trim() }),
  };
  if (constraints === undefined || constraints.trim() === '') return options;
  const read = readConstraint(constraints);
  if (!read.ok)
    throw new UsageError(
      'setting-invalid',
      `TRAEFIK_CONSTRAINTS cannot be read at character ${read.at}: ${read.message}; ${read.suggestion}`,
    );
  return { ...options, constraint: read.holds };
}

/** Logs when services carry `traefik.*` labels that `LABELS` leaves out. */
export interface UnreadLabels {
  count(view: SwarmView): void;
  /** Services with `traefik.*` labels, as last counted. */
  services(): number;
}

export function createUnreadLabels(families: readonly LabelFamily[], logger: Logger): UnreadLabels {
  let services = 0;
  return {
    count(view) {
      const before = services;
      services = [...view.services.values()].filter(hasTraefikLabels).length;
      if (services > 0 && before === 0 && !families.includes('traefik'))
        logger.info({ services }, 'services carry traefik.* labels, which are not read; LABELS=df,traefik serves them');
    },
    services: () => services,
  };
}

/** Whether a service has labels of that family at all. */
export function hasTraefikLabels({ labels }: Pick<SwarmService, 'labels'>): boolean {
  return Object.keys(labels).some((label) => /^traefik\./i.test(label));
}
