import { readConstraint, type TraefikOptions } from '@swarmgate/labels';
import { type LabelFamily, type Logger, type Settings, UsageError } from '@swarmgate/runtime';
import type { SwarmView } from '../swarm/swarm-view.ts';
import { hasTraefikLabels } from './traefik-services.ts';

export type FamilySettings = Pick<
  Settings,
  | 'labelFamilies'
  | 'traefikExposedByDefault'
  | 'traefikConstraints'
  | 'traefikEntrypoints'
  | 'traefikDefaultRule'
  | 'traefikNetwork'
>;

export interface Families {
  readonly families: readonly LabelFamily[];
  /** Absent where `LABELS` has no `traefik`. */
  readonly traefik?: TraefikOptions;
}

/** @throws UsageError for constraints that cannot be read: they may keep services from being public */
export function familiesOf(settings: FamilySettings): Families {
  const { labelFamilies: families } = settings;
  return families.includes('traefik') ? { families, traefik: traefikOptionsOf(settings) } : { families };
}

export function traefikOptionsOf(settings: FamilySettings): TraefikOptions {
  const { traefikConstraints: constraints } = settings;
  const options = {
    exposedByDefault: settings.traefikExposedByDefault,
    entrypoints: settings.traefikEntrypoints,
    defaultRule: settings.traefikDefaultRule,
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

/** Says when services carry `traefik.*` labels that `LABELS` leaves out. */
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
