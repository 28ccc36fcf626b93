import type { Problem } from '../definition/problem.ts';
import { readTraefikLabels } from './read-labels.ts';
import type { TraefikService } from './traefik-options.ts';

/** Traefik's dynamic file, read: its names are of the provider `file`. */
export interface DynamicFile {
  readonly service: TraefikService;
  /** What of it has no effect; each message begins with the place. */
  readonly problems: readonly Problem[];
  /** Puts the place before the message of a problem of its routers, services and middlewares. */
  readonly placed: (problem: Problem) => Problem;
  /** Why routers with TLS respond with 503: the default TLS options restrict, and they are not read. */
  readonly closesTls?: string;
}

/** Id and name of what `TRAEFIK_FILE` defines, among the services of the Swarm. */
export const dynamicFileName = 'traefik-file';

/** What one file holds, as labels. */
export interface FileParts {
  readonly labels: Readonly<Record<string, string>>;
  /** `name:line` of each label in lower case. */
  readonly placeOf: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
  readonly closesTls: string | undefined;
  /** TLS options by name: whether the proxy serves what they say. */
  readonly tlsOptions: ReadonlyMap<string, boolean>;
}

/** Of two definitions of one name that of the first file holds. */
export function combineFiles(parts: readonly FileParts[]): DynamicFile {
  const labels: Record<string, string> = {};
  const placeOf = new Map<string, string>();
  const problems: Problem[] = parts.flatMap((each) => each.problems);
  const ownerOf = new Map<string, FileParts>();
  for (const file of parts) {
    const taken = new Set<string>();
    for (const [label, value] of Object.entries(file.labels)) {
      const name = label.split('.').slice(0, 4).join('.');
      const owner = ownerOf.get(name) ?? file;
      ownerOf.set(name, owner);
      if (owner === file) {
        labels[label] = value;
        const at = file.placeOf.get(label.toLowerCase());
        if (at !== undefined) placeOf.set(label.toLowerCase(), at);
      } else if (!taken.has(name)) {
        taken.add(name);
        problems.push(definedTwice(name, file, owner));
      }
    }
  }
  const placeOfLabel = (label: string | undefined) => firstPlace(placeOf, label) ?? 'TRAEFIK_FILE';
  const closesTls = parts.find((file) => file.closesTls !== undefined)?.closesTls;
  return {
    service: {
      id: dynamicFileName,
      name: dynamicFileName,
      createdAt: '',
      labels: {},
      read: readTraefikLabels(labels, 'file'),
      provider: 'file',
      servedTlsOptions: servedTlsOptions(parts),
      targetPorts: [],
    },
    problems,
    placed: ({ label, message, ...problem }) => ({ ...problem, message: `${placeOfLabel(label)}: ${message}` }),
    ...(closesTls === undefined ? {} : { closesTls }),
  };
}

/** Of two definitions of one name each must be one that the proxy serves. */
function servedTlsOptions(parts: readonly FileParts[]): ReadonlySet<string> {
  const all = parts.flatMap(({ tlsOptions }) => [...tlsOptions]);
  const refused = new Set(all.flatMap(([name, isServed]) => (isServed ? [] : [name])));
  return new Set(all.flatMap(([name]) => (refused.has(name) ? [] : [name])));
}

function firstPlace(placeOf: ReadonlyMap<string, string>, label = ''): string | undefined {
  const lower = label.toLowerCase().replace(/@file$/, '');
  return placeOf.get(lower) ?? [...placeOf].find(([each]) => each.startsWith(`${lower}.`))?.[1];
}

function definedTwice(name: string, file: FileParts, owner: FileParts): Problem {
  return {
    severity: 'error',
    reason: 'traefik-file-partly',
    message: `${firstPlace(file.placeOf, name) ?? ''}: ${shownKey(name)} has no effect: ${firstPlace(owner.placeOf, name) ?? 'another file'} defines it too, and holds`,
    suggestion: 'give one of the two another name',
  };
}

/** `traefik.http.routers.web.rule` → `http.routers.web.rule`. */
export function shownKey(label: string): string {
  return label.replace(/^traefik\./, '').slice(0, 200);
}
