import { destinationLabels, type LabelEntry, serviceLabels } from '@swarmgate/labels';

export interface ListedLabel {
  readonly entry: LabelEntry;
  readonly scope: 'service' | 'destination';
}

/** Every label of the catalogue that is a field of a definition, in the catalogue's order. */
export function listedLabels(): readonly ListedLabel[] {
  return [
    ...(Object.values(destinationLabels) as LabelEntry[]).map((entry) => ({ entry, scope: 'destination' }) as const),
    ...(Object.values(serviceLabels) as LabelEntry[]).map((entry) => ({ entry, scope: 'service' }) as const),
  ];
}
