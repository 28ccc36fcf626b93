import { isMap, isScalar, isSeq, type Node } from 'yaml';
import type { Problem } from '../definition/problem.ts';
import { nearestName } from '../values/nearest-name.ts';
import { tomlAsYaml } from './bounded-toml.ts';
import { type BoundedYaml, readYaml, yamlBounds } from './bounded-yaml.ts';
import { combineFiles, type DynamicFile, type FileParts, shownKey } from './dynamic-parts.ts';
import { readTraefikLabels } from './read-labels.ts';

export type ReadDynamicFile =
  | { readonly ok: true; readonly file: DynamicFile }
  /** Nothing of it counts, as in Traefik. */
  | { readonly ok: false; readonly problem: Problem };

/** More than a file written by hand has; `yamlBounds` hold before them. */
export const dynamicFileBounds = { bytes: yamlBounds.bytes, values: 20_000, depth: 20, aliases: 100 };

/** One file of Traefik's file provider. */
export interface DynamicText {
  /** As messages show it; one that ends in `.toml` is TOML, every other one YAML. */
  readonly name: string;
  readonly text: string;
}

/**
 * Reads the files of one folder together, in their order: their names are shared. Of two definitions of one name that of the first
 * file holds, as in Traefik. One that cannot be read ends the reading of all. Never throws.
 */
export function readDynamicFiles(files: readonly DynamicText[]): ReadDynamicFile {
  const parts: FileParts[] = [];
  for (const { name, text } of files) {
    const read = readParts(text, name);
    if ('problem' in read) return { ok: false, problem: read.problem };
    parts.push(read);
  }
  return { ok: true, file: combineFiles(parts) };
}

/**
 * Reads `http.routers`, `http.services`, `http.middlewares` and the same of `tcp`
 * (https://doc.traefik.io/traefik/reference/routing-configuration/other-providers/file/) as equivalent labels. An unknown
 * key rejects the whole file, as in Traefik: it may be a misspelt restriction. Never throws.
 *
 * @param name as messages show it
 */
export function readDynamicFile(text: string, name: string): ReadDynamicFile {
  return readDynamicFiles([{ name, text }]);
}

function readParts(text: string, name: string): FileParts | { readonly problem: Problem } {
  // Names that stand twice are looked for below, where those of merge keys are known.
  const isToml = name.toLowerCase().endsWith('.toml');
  const parsed = isToml ? tomlAsYaml(text) : readYaml(text, { uniqueKeys: false });
  if (!parsed.ok) {
    const { kind, line, message } = parsed.fault;
    const mend = kind === 'bound' ? 'leave out what no router needs' : `correct its ${isToml ? 'TOML' : 'YAML'}`;
    return rejected(name, line, message.slice(0, 200), mend);
  }
  const { yaml } = parsed;
  const template = text.indexOf('{{');
  if (template !== -1)
    return rejected(
      name,
      isToml ? undefined : yaml.lineOf(template),
      'templates of Go are not evaluated',
      'write what the template yields',
    );
  const reader = new FileReader(name, yaml);
  try {
    return reader.read(yaml.document.contents);
  } catch (fault) {
    if (fault instanceof Fault) return rejected(name, fault.line, fault.message, fault.suggestion);
    throw fault;
  }
}

function rejected(
  name: string,
  line: number | undefined,
  why: string,
  suggestion: string,
): { readonly problem: Problem } {
  return {
    problem: {
      severity: 'error',
      reason: 'traefik-file-unreadable',
      message: `${place(name, line)}: ${why}; nothing of this version of the file counts`,
      suggestion,
    },
  };
}

function place(name: string, line: number | undefined): string {
  return line === undefined ? name : `${name}:${line}`;
}

/** Ends the reading of a file. */
class Fault extends Error {
  readonly line: number | undefined;
  readonly suggestion: string;

  constructor(line: number | undefined, message: string, suggestion: string) {
    super(message);
    this.line = line;
    this.suggestion = suggestion;
  }
}

type Pairs = readonly (readonly [key: string, value: unknown, line: number | undefined])[];

const sections: ReadonlyMap<string, readonly string[]> = new Map([
  ['http', ['routers', 'services', 'middlewares', 'serversTransports']],
  ['tcp', ['routers', 'services', 'middlewares', 'serversTransports']],
  ['udp', ['routers', 'services']],
  ['tls', ['certificates', 'options', 'stores']],
]);

class FileReader {
  readonly #name: string;
  readonly #yaml: BoundedYaml;
  readonly #labels: Record<string, string> = {};
  readonly #lineOf = new Map<string, number | undefined>();
  readonly #problems: Problem[] = [];
  #closesTls: string | undefined;
  /** Whether the proxy serves what they say. */
  readonly #tlsOptions = new Map<string, boolean>();
  #values = 0;
  #aliases = 0;

  constructor(name: string, yaml: BoundedYaml) {
    this.#name = name;
    this.#yaml = yaml;
  }

  read(root: unknown): FileParts {
    for (const [family, content, line] of this.#pairs(root, 0)) {
      const known = sections.get(family);
      if (known === undefined) throw this.#unknown(family, [...sections.keys()], line);
      for (const [section, entries, at] of this.#pairs(content, 1)) {
        if (!known.includes(section)) throw this.#unknown(section, known, at);
        this.#section(family, section, entries, at);
      }
    }
    const read = readTraefikLabels(this.#labels, 'file');
    const wrong = read.isRejected ? read.problems.find(({ severity }) => severity === 'error') : undefined;
    if (wrong !== undefined)
      throw new Fault(
        this.#lineOfLabel(wrong.label),
        `Traefik has no ${shownKey(wrong.label ?? '')}`,
        wrong.suggestion ?? 'leave it out',
      );
    return {
      labels: this.#labels,
      placeOf: new Map([...this.#lineOf].map(([label, line]) => [label, place(this.#name, line)])),
      problems: this.#problems,
      closesTls: this.#closesTls,
      tlsOptions: this.#tlsOptions,
    };
  }

  #section(family: string, section: string, entries: unknown, line: number | undefined): void {
    if (family === 'udp' || section === 'serversTransports') {
      this.#ignored(family === 'udp' ? 'error' : 'warning', `${family}.${section}`, line, 'it is not supported');
      return;
    }
    if (family === 'tls') this.#tls(section, entries, line);
    else
      for (const [name, options, at] of this.#pairs(entries, 2)) {
        if (name === '' || name.includes('.') || name.includes('@'))
          throw new Fault(at, `the name ${name.slice(0, 100)} holds a dot or an @`, 'give it another name');
        const place = `traefik.${family}.${section}.${name}`;
        if (section !== 'services') this.#flatten(place, options, 3);
        else this.#service(place, options, at);
      }
  }

  /** Of several servers the URLs stand in one label, by blanks, and their weights alike. */
  #service(place: string, options: unknown, line: number | undefined): void {
    const why = this.#unsupportedService(options);
    if (why !== undefined) {
      this.#ignored('error', shownKey(place), line, `${why}, so what leads to it is not served`);
      return;
    }
    const [[kind = '', content] = []] = this.#pairs(options, 3);
    if (kind.toLowerCase() !== 'loadbalancer') {
      this.#flatten(`${place}.${kind}`, content, 4);
      return;
    }
    for (const [key, value] of this.#pairs(content, 4)) {
      if (key.toLowerCase() === 'servers')
        this.#servers(`${place}.loadBalancer.server`, itemsOf(this.#yaml.resolved(value)));
      else this.#flatten(`${place}.loadBalancer.${key}`, value, 5);
    }
  }

  #servers(place: string, servers: readonly unknown[]): void {
    const [first, ...more] = servers;
    if (more.length === 0) {
      this.#flatten(place, first, 5);
      return;
    }
    const keys = new Map<string, Node>();
    const each = servers.map((server) => {
      const values = new Map<string, string>();
      for (const [key, value] of this.#pairs(server, 5)) {
        const node = this.#yaml.resolved(value);
        if (!isScalar(node) || !/^\S+$/.test(String(node.value)))
          throw new Fault(
            this.#lineAt(node),
            `a server has a value of ${key.slice(0, 100)} that is none`,
            'correct it',
          );
        values.set(key.toLowerCase(), String(node.value));
        keys.set(key.toLowerCase(), node);
      }
      return values;
    });
    for (const [key, node] of keys) {
      const usual = key === 'weight' ? '1' : '-';
      this.#set(`${place}.${key}`, each.map((values) => values.get(key) ?? usual).join(' '), node);
    }
  }

  #unsupportedService(options: unknown): string | undefined {
    const pairs = this.#pairs(options, 3);
    const kinds = pairs.map(([key]) => key.toLowerCase());
    const other = pairs.find((_pair, at) => !/^(loadbalancer|weighted|failover)$/.test(kinds[at] ?? ''));
    if (other !== undefined) return `${other[0].slice(0, 100)} is not supported`;
    // Traefik takes a service of one kind alone.
    if (kinds.length > 1) return `it is ${kinds.join(' and ')} at once`;
    if (kinds.length === 1 && kinds[0] !== 'loadbalancer') return undefined;
    const servers = this.#pairs(pairs[0]?.[1], 4).find(([key]) => key.toLowerCase() === 'servers')?.[1];
    const count = itemsOf(this.#yaml.resolved(servers)).length;
    if (count > mostServers) return `it has ${count} servers, and ${mostServers} are the most`;
    return count === 0 ? 'it has no servers' : undefined;
  }

  #tls(section: string, entries: unknown, line: number | undefined): void {
    if (section !== 'options') {
      const why =
        section === 'certificates'
          ? 'its files are not read: mount them as secrets cert-*, or PUT them (docs/certificates.md)'
          : 'it is not supported';
      this.#ignored('warning', `tls.${section}`, line, why);
      return;
    }
    for (const [name, options, at] of this.#pairs(entries, 2)) {
      const given = this.#pairs(options, 3).map(([key, value]) => [key, this.#scalarOf(value)] as const);
      const demand = demandOf(given);
      this.#tlsOptions.set(name, demand === undefined);
      if (name === 'default' && demand !== undefined)
        this.#closesTls = `the default TLS options ${demand}, which the proxy does not`;
      const who = name === 'default' ? 'routers with TLS' : 'routers that name them';
      if (demand !== undefined)
        this.#ignored('error', `tls.options.${name}`, at, `they ${demand}: ${who} respond with 503`);
      else if (given.some(([key]) => !/^minversion$/i.test(key)))
        this.#ignored('warning', `tls.options.${name}`, at, 'ciphers, curves and names are those of the proxy');
    }
  }

  #scalarOf(value: unknown): string | undefined {
    const node = this.#yaml.resolved(value);
    return isScalar(node) ? String(node.value) : undefined;
  }

  /** Each value under its whole key: lists by comma, lists of maps by index. */
  #flatten(place: string, value: unknown, depth: number): void {
    const node = this.#yaml.resolved(value);
    if (isMap(node)) {
      const pairs = this.#pairs(node, depth);
      // What is there and empty is on: `tls: {}`.
      if (pairs.length === 0) this.#set(place, 'true', node);
      for (const [key, inner] of pairs) this.#flatten(`${place}.${key}`, inner, depth + 1);
    } else if (isSeq(node)) {
      const items = node.items.map((item) => this.#yaml.resolved(item));
      for (const item of node.items) this.#count(item);
      if (items.every((item) => isScalar(item)))
        this.#set(
          place,
          items.map((item) => String((item as { readonly value: unknown }).value ?? '')).join(','),
          node,
        );
      else for (const [at, item] of items.entries()) this.#flatten(`${place}[${at}]`, item, depth + 1);
    } else if (isScalar(node) && node.value !== null) this.#set(place, String(node.value), node);
  }

  #set(place: string, value: string, node: Node): void {
    this.#count(node);
    this.#labels[place] = value;
    this.#lineOf.set(place.toLowerCase(), this.#lineAt(node));
  }

  #pairs(value: unknown, depth: number): Pairs {
    const node = this.#yaml.resolved(value);
    if (node !== value && ++this.#aliases > dynamicFileBounds.aliases)
      throw new Fault(this.#lineAt(value), `it has more than ${dynamicFileBounds.aliases} aliases`, 'write them out');
    if (depth > dynamicFileBounds.depth)
      throw new Fault(this.#lineAt(node), 'it is nested too deep', 'write it flatter');
    if (node === null || node === undefined || (isScalar(node) && node.value === null)) return [];
    if (!isMap(node)) throw new Fault(this.#lineAt(node), 'names with values are expected here', 'write name: value');
    const found = new Map<string, { readonly pair: Pairs[number]; readonly isOwn: boolean }>();
    for (const { key, value: given } of node.items) {
      this.#count(key);
      if (!isScalar(key)) throw new Fault(this.#lineAt(key), 'a name is expected here', 'write name: value');
      const name = key.value;
      const isMerge = name === '<<' || typeof name === 'symbol';
      const pairs = isMerge ? this.#merged(given, depth) : [[String(name), given, this.#lineAt(key)] as const];
      for (const pair of pairs) {
        const before = found.get(pair[0]);
        if (!isMerge && before?.isOwn === true)
          throw new Fault(pair[2], `${pair[0].slice(0, 100)} stands there twice`, 'leave one of them out');
        // What stands in the map itself holds before what is merged into it.
        if (!isMerge || before === undefined) found.set(pair[0], { pair, isOwn: !isMerge });
      }
    }
    return [...found.values()].map(({ pair }) => pair);
  }

  /** `<<: *base`, or a list of those. */
  #merged(value: unknown, depth: number): Pairs {
    const node = this.#yaml.resolved(value);
    return (isSeq(node) ? node.items : [node]).flatMap((each) => this.#pairs(each, depth + 1));
  }

  #count(node: unknown): void {
    this.#values += 1;
    if (this.#values > dynamicFileBounds.values)
      throw new Fault(this.#lineAt(node), `it has more than ${dynamicFileBounds.values} values`, 'use fewer');
  }

  #lineAt(node: unknown): number | undefined {
    return this.#yaml.lineAt(node);
  }

  #unknown(key: string, known: readonly string[], line: number | undefined): Fault {
    const nearest = nearestName(key, known);
    return new Fault(
      line,
      `Traefik has no ${key.slice(0, 100)} there`,
      nearest === undefined ? `known are ${known.join(', ')}` : `did you mean ${nearest}?`,
    );
  }

  #ignored(severity: Problem['severity'], what: string, line: number | undefined, why: string): void {
    this.#problems.push({
      severity,
      reason: 'traefik-file-partly',
      message: `${place(this.#name, line)}: ${what} has no effect: ${why}`,
      suggestion: 'docs/from-traefik.md lists what has one',
    });
  }

  #lineOfLabel(label: string | undefined): number | undefined {
    const lower = label?.toLowerCase() ?? '';
    return this.#lineOf.get(lower) ?? [...this.#lineOf].find(([each]) => each.startsWith(`${lower}.`))?.[1];
  }
}

/**
 * What TLS options demand that the proxy does not, which takes TLS 1.2 and 1.3 of any client. `sniStrict` demands nothing of who reaches a
 * service: routes are distinguished by the host of the request too.
 */
function demandOf(options: readonly (readonly [key: string, value: string | undefined])[]): string | undefined {
  for (const [key, value] of options) {
    const name = key.toLowerCase();
    if (name === 'clientauth') return 'demand certificates of clients';
    if (name === 'minversion' && !/^VersionTLS1[012]$/.test(value ?? ''))
      return `take ${(value ?? '').slice(0, 50)} alone`;
    if (name === 'maxversion' && value !== 'VersionTLS13') return `take ${(value ?? '').slice(0, 50)} at the most`;
    if (
      !/^(minversion|maxversion|ciphersuites|curvepreferences|preferservercipher(suites)?|alpnprotocols|snistrict|disablesessiontickets)$/.test(
        name,
      )
    )
      return `have ${key.slice(0, 50)}, which is not known and may restrict`;
  }
  return undefined;
}

/** As `com.df.outboundServers` has. */
const mostServers = 100;

function itemsOf(node: unknown): readonly unknown[] {
  return isSeq(node) ? node.items : [];
}
