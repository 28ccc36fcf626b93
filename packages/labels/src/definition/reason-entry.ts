/** Where a problem is reported. */
export const problemPlaces = {
  labels: 'Of labels and reconfigure calls, reported at the service',
  traefik: 'Of labels and files of Traefik, reported at the service, or at `env/…` for a file and for flags',
  documents: 'Of documents in the registry, reported at the service',
  serving: 'Of services that are served otherwise than written, reported at the service by each proxy',
  certificates: 'Of certificates, reported at the services whose names they are for, or at `env/…`',
  replica: 'Of one proxy, reported at `env/…`, or as the replica’s own',
  check: 'Of stack files, reported by `swarmgate check` and `swarmgate diff` alone',
} as const;

export type ProblemPlace = keyof typeof problemPlaces;

export interface ReasonEntry {
  readonly place: ProblemPlace;
  /** What is wrong and what follows from it. */
  readonly meaning: string;
  readonly mend: string;
}

export function reasonEntry(place: ProblemPlace, meaning: string, mend: string): ReasonEntry {
  return { place, meaning, mend };
}
