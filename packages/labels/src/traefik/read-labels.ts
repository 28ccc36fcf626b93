import type { Problem } from '../definition/problem.ts';
import { nearestName } from '../values/nearest-name.ts';
import type { GivenOption, GivenOptions } from './given-options.ts';
import {
  combinedServiceKeys,
  fileTcpServiceKeys,
  fitsKey,
  generalKeys,
  middlewareKeys,
  routerKeys,
  serviceKeys,
  tcpMiddlewareKeys,
  tcpRouterKeys,
  tcpServiceKeys,
} from './label-keys.ts';
import { labelsOfVersion1 } from './version1.ts';

export type Section =
  | 'http.routers'
  | 'http.services'
  | 'http.middlewares'
  | 'tcp.routers'
  | 'tcp.services'
  | 'tcp.middlewares';

/** The `traefik.*` labels of one Swarm service, taken apart. */
export interface ReadLabels {
  readonly sections: Readonly<Record<Section, ReadonlyMap<string, GivenOptions>>>;
  /** Something stands under `traefik.udp`. */
  readonly hasUdp: boolean;
  /** Labels of Traefik 1 that route. */
  readonly hasVersion1: boolean;
  /**
   * A label of a router, service or middleware that Traefik does not know: it then serves nothing of the service, because the
   * label may be a misspelt restriction.
   */
  readonly isRejected: boolean;
  /** Those that such a label belongs to: `traefik.http.routers.web`. */
  readonly rejected: readonly string[];
  readonly problems: readonly Problem[];
}

type Keys = Readonly<Record<Exclude<Section, 'http.middlewares' | 'tcp.middlewares'>, readonly string[]>>;

const keysOfLabels: Keys = {
  'http.routers': routerKeys.map(({ key }) => key),
  'http.services': serviceKeys.map(({ key }) => key),
  'tcp.routers': tcpRouterKeys.map(({ key }) => key),
  'tcp.services': tcpServiceKeys.map(({ key }) => key),
};
const keysOfFile: Keys = {
  ...keysOfLabels,
  'http.services': [
    'weighted',
    'weighted.services',
    'failover',
    ...[...serviceKeys, ...combinedServiceKeys].map(({ key }) => key),
  ],
  'tcp.services': [
    'weighted',
    'weighted.services',
    ...[...tcpServiceKeys, ...fileTcpServiceKeys].map(({ key }) => key),
  ],
};

/**
 * Never throws. Values of unknown labels are not shown: one may be a misspelt list of users.
 *
 * @param provider `file`: what `TRAEFIK_FILE` alone can say is known too
 */
export function readTraefikLabels(labels: Readonly<Record<string, string>>, provider?: 'file'): ReadLabels {
  const reader = new LabelReader(provider === 'file' ? keysOfFile : keysOfLabels);
  // In name order, so that problems come out in the same order everywhere.
  for (const label of Object.keys(labels).toSorted()) {
    if (/^traefik\./i.test(label)) reader.read(label, labels[label] ?? '');
  }
  return reader.result();
}

class LabelReader {
  readonly #sections: Record<Section, Map<string, Map<string, GivenOption>>> = {
    'http.routers': new Map(),
    'http.services': new Map(),
    'http.middlewares': new Map(),
    'tcp.routers': new Map(),
    'tcp.services': new Map(),
    'tcp.middlewares': new Map(),
  };
  readonly #problems: Problem[] = [];
  readonly #version1: GivenOption[] = [];
  readonly #udp: string[] = [];
  readonly #rejected = new Set<string>();
  readonly #keysOf: Keys;

  constructor(keysOf: Keys) {
    this.#keysOf = keysOf;
  }

  read(label: string, value: string): void {
    const [family = '', group = '', name = '', ...rest] = label.slice('traefik.'.length).split('.');
    const place = `${family}.${group}`.toLowerCase();
    if (family.toLowerCase() === 'udp') this.#udp.push(label);
    else if (place in this.#sections) this.#readOption(place as Section, name, rest, { label, value });
    else if (/^(http|tcp)$/i.test(family))
      this.#unknown(label, place, [
        'http.routers',
        'http.services',
        'http.middlewares',
        'tcp.routers',
        'tcp.services',
        'tcp.middlewares',
      ]);
    else this.#readGeneral({ label, value });
  }

  result(): ReadLabels {
    if (this.#udp.length > 0) this.#problems.push(udpProblem(this.#udp));
    const version1 = labelsOfVersion1(this.#version1);
    if (version1 !== undefined) this.#problems.push(version1);
    return {
      sections: this.#sections,
      hasUdp: this.#udp.length > 0,
      hasVersion1: version1 !== undefined,
      isRejected: this.#rejected.size > 0,
      rejected: [...this.#rejected],
      problems: this.#problems,
    };
  }

  #readOption(section: Section, name: string, rest: readonly string[], given: GivenOption): void {
    const written = rest.join('.');
    const key = written.toLowerCase();
    if (name === '' || key === '') {
      this.#unknown(given.label, given.label, []);
      return;
    }
    if (section === 'http.middlewares' || section === 'tcp.middlewares') {
      if (!this.#isMiddlewareKey(given.label, rest, section === 'tcp.middlewares' ? tcpMiddlewareKeys : middlewareKeys))
        return;
    } else if (!this.#keysOf[section].some((pattern) => fitsKey(pattern, key))) {
      this.#unknown(given.label, written, this.#keysOf[section]);
      return;
    }
    const options = this.#sections[section].get(name) ?? new Map<string, GivenOption>();
    this.#sections[section].set(name, options);
    // The keys of headers keep their spelling.
    options.set(/headers\.[^.]+$/.test(key) ? key.slice(0, -(rest.at(-1)?.length ?? 0)) + rest.at(-1) : key, given);
  }

  #isMiddlewareKey(
    label: string,
    [kind = '', ...rest]: readonly string[],
    kinds: Readonly<Record<string, readonly string[]>>,
  ): boolean {
    const known = Object.keys(kinds).find((each) => each.toLowerCase() === kind.toLowerCase());
    if (known === undefined) {
      this.#unknown(label, kind, Object.keys(kinds));
      return false;
    }
    const keys = kinds[known] ?? [];
    const key = rest.join('.').toLowerCase();
    const fits = known === 'plugin' || rest.length === 0 || keys.some((pattern) => fitsKey(pattern, key));
    if (!fits) this.#unknown(label, rest.join('.'), keys);
    return fits;
  }

  #readGeneral(given: GivenOption): void {
    const key = given.label.slice('traefik.'.length);
    const lower = key.toLowerCase();
    if (generalKeys.some((known) => known.key === lower)) return;
    // A label of one's own that constraints select by.
    else if (/^(constraint|constraint-label|tags)$/.test(lower)) return;
    else if (isVersion1(lower)) this.#version1.push(given);
    else
      this.#problems.push({
        severity: 'warning',
        reason: 'label-unknown',
        message: `Traefik has no label ${given.label}; it is ignored`,
        label: given.label,
        ...suggestionFor(key, ['enable', 'docker.network', 'swarm.network', 'http', 'tcp']),
      });
  }

  #unknown(label: string, written: string, known: readonly string[]): void {
    this.#rejected.add(label.split('.').slice(0, 4).join('.'));
    this.#problems.push({
      severity: 'error',
      reason: 'label-unknown',
      message: `Traefik has no label ${label}: nothing of the service is served, because it may be a misspelt restriction`,
      label,
      ...suggestionFor(written, known),
    });
  }
}

/** `traefik.frontend.rule`, `traefik.port`, and the same behind the name of a segment: `traefik.web.port`. */
function isVersion1(key: string): boolean {
  return /^(?:[^.]+\.)?(?:frontend\.|backend(?:$|\.)|port$|protocol$|weight$|portindex$)/.test(key) || key === 'domain';
}

function suggestionFor(written: string, known: readonly string[]): { readonly suggestion?: string } {
  const nearest = nearestName(written, known);
  return nearest === undefined ? {} : { suggestion: `did you mean ${nearest}?` };
}

function udpProblem(labels: readonly string[]): Problem {
  const [label = ''] = labels;
  return {
    severity: 'error',
    reason: 'udp-unsupported',
    message: `UDP is not served: ${labels.slice(0, 3).join(', ')}${labels.length > 3 ? ', …' : ''}`,
    label,
    suggestion: 'publish the port of the service itself: mode=host, protocol=udp',
  };
}
