import { accessDestinationLabels, accessServiceLabels } from './access-labels.ts';
import { certificateServiceLabels } from './certificate-labels.ts';
import type { FieldsOf, LabelEntry } from './label-entry.ts';
import { maintenanceServiceLabels } from './maintenance-labels.ts';
import { middlewareDestinationLabels } from './middleware-labels.ts';
import { type OtherLabel, otherLabels } from './other-labels.ts';
import { processingDestinationLabels, processingServiceLabels } from './processing-labels.ts';
import { routingDestinationLabels, routingServiceLabels } from './routing-labels.ts';
import { upstreamDestinationLabels, upstreamServiceLabels } from './upstream-labels.ts';

/** Labels that hold for the whole service, by the definition's field. */
export const serviceLabels = {
  ...routingServiceLabels,
  ...processingServiceLabels,
  ...accessServiceLabels,
  ...upstreamServiceLabels,
  ...certificateServiceLabels,
  ...maintenanceServiceLabels,
};

const { serviceCert: _certificate, ...accessOfDestination } = accessServiceLabels;
const { sessionType, sessionCookie, sessionCookieAttributes } = upstreamServiceLabels;

/** Labels of the whole service that one destination may have otherwise: with its index, in `overrides` of a definition. */
export const overridableLabels = {
  ...processingServiceLabels,
  ...accessOfDestination,
  sessionType,
  sessionCookie,
  sessionCookieAttributes,
  ...certificateServiceLabels,
};

/** Labels of one destination, which may carry an index, by the definition's field. */
export const destinationLabels = {
  ...routingDestinationLabels,
  ...processingDestinationLabels,
  ...accessDestinationLabels,
  ...middlewareDestinationLabels,
  ...upstreamDestinationLabels,
};

/** The fields of a definition beside its own: labels that hold for the whole service. */
export type ServiceLabels = FieldsOf<typeof serviceLabels>;

/** The fields of the service that a destination has otherwise. */
export type OverridingLabels = FieldsOf<typeof overridableLabels>;

/** The fields of one destination beside its own. */
export type DestinationLabels = FieldsOf<typeof destinationLabels>;

/** A label as found it by name. `field` is where the definition holds its value. */
export type KnownLabel =
  | {
      readonly scope: 'service' | 'destination';
      readonly field: string;
      readonly entry: LabelEntry;
      /** The name that was looked up is a deprecated one for `entry.name`. */
      readonly deprecated: boolean;
    }
  | { readonly scope: 'other'; readonly other: OtherLabel };

const byName: ReadonlyMap<string, KnownLabel> = collectNames();

/** By its name without prefix and index, deprecated names included. */
export function findLabel(name: string): KnownLabel | undefined {
  return byName.get(name);
}

/** Every name that means something. */
export function labelNames(): Iterable<string> {
  return byName.keys();
}

function collectNames(): Map<string, KnownLabel> {
  const names = new Map<string, KnownLabel>();
  const add = (scope: 'service' | 'destination', entries: object) => {
    for (const [field, entry] of Object.entries(entries) as [string, LabelEntry][]) {
      names.set(entry.name, { scope, field, entry, deprecated: false });
      for (const alias of entry.aliases ?? []) names.set(alias, { scope, field, entry, deprecated: true });
    }
  };
  add('service', serviceLabels);
  add('destination', destinationLabels);
  for (const other of otherLabels) names.set(other.name, { scope: 'other', other });
  return names;
}
