import type { Destination, ServiceLabels } from '../definition/service-definition.ts';
import type { LabelEntry } from './label-entry.ts';

/** An entry for every field of the definition: a field without one does not compile. */
export type ServiceEntries = { readonly [K in keyof ServiceLabels]-?: LabelEntry<NonNullable<ServiceLabels[K]>> };

type DestinationField = Exclude<keyof Destination, 'index' | 'since'>;
export type DestinationEntries = { readonly [K in DestinationField]-?: LabelEntry<NonNullable<Destination[K]>> };
