import { readYaml, type YamlFault } from '@swarmgate/labels/traefik';
import { UsageError } from '@swarmgate/runtime/errors';
import type { TraefikProcess } from '@swarmgate/swarm-listener';
import { isMap, isScalar } from 'yaml';
import { type Environment, interpolate } from './interpolate.ts';
import { type PlacedProblem, type Position, readLabels } from './read-labels.ts';
import { networkNamesOf, networksOf, traefikProcessOf } from './read-surroundings.ts';
import { nodeUnder, plainOf } from './yaml-nodes.ts';

/** A service of a stack file with the labels that Swarm gets. */
export interface ComposeService {
  /** As the file names it; Swarm prefixes `<stack>_`. */
  readonly name: string;
  readonly position: Position;
  readonly labels: ReadonlyMap<string, string>;
  /** Where each label stands, for messages that point at it. */
  readonly labelPositions: ReadonlyMap<string, Position>;
  /** Labels of the containers with our prefix: `deploy.labels` was meant. */
  readonly misplacedLabels: readonly string[];
  /** What `docker stack deploy` refuses in its labels, and labels that stand twice. */
  readonly problems: readonly PlacedProblem[];
  readonly isGlobal: boolean;
  readonly replicas: number;
  /** Ports of its containers that it publishes by TCP. */
  readonly targetPorts: readonly number[];
  /** Networks of its tasks, as the file names them. Docker's default is `default`. */
  readonly networks: readonly string[];
  /** Where its image is called `traefik`. */
  readonly traefik?: TraefikProcess;
}

export interface ComposeFile {
  /** The top-level `name`, where there is one. */
  readonly name: string | undefined;
  readonly services: ReadonlyMap<string, ComposeService>;
  /** Names in Swarm by those in the file, where the file gives them: `external`, or by `name`. */
  readonly networkNames: ReadonlyMap<string, string>;
}

/**
 * Reads the services and `deploy.labels` of one stack file (compose syntax; labels as a map or as a list of `name=value`).
 * @throws UsageError `compose-invalid` with the file, the line and the parser's reason.
 */
export function readCompose(file: string, text: string, env: Environment): ComposeFile {
  // Big integers keep their digits, as in Docker's parser.
  const read = readYaml(text, { intAsBigInt: true });
  if (!read.ok) throw new UsageError('compose-invalid', `${file}:${read.fault.line ?? 1}: ${faultOf(read.fault)}`);
  const { yaml } = read;
  const { document, lineAt } = yaml;
  const at = (node: unknown): Position => ({ file, line: lineAt(node) ?? 1 });
  const root = plainOf(document.contents, yaml) as Record<string, unknown> | null;
  const listed = document.get('services', true);
  if (root === null || !isMap(listed)) {
    throw new UsageError('compose-invalid', `${file}: no "services" at the top: is it a stack file?`);
  }

  const services = new Map<string, ComposeService>();
  for (const pair of listed.items) {
    const name = String(isScalar(pair.key) ? pair.key.value : pair.key);
    const plain = ((root.services as Record<string, unknown>)[name] ?? {}) as PlainService;
    const labelsUnder = (...path: readonly string[]) => {
      const node = nodeUnder(pair.value, path, yaml);
      const place = ['services', name, ...path].join('.');
      return node === undefined ? undefined : readLabels(node, { yaml, positionOf: at, env, place });
    };
    const deployed = labelsUnder('deploy', 'labels');
    const ofContainers = labelsUnder('labels');
    services.set(name, {
      name,
      position: at(pair.key),
      labels: deployed?.labels ?? new Map(),
      labelPositions: deployed?.positions ?? new Map(),
      misplacedLabels: [...(ofContainers?.labels.keys() ?? [])].filter((label) => /^(com\.df|traefik)\./i.test(label)),
      problems: [...(deployed?.problems ?? []), ...(ofContainers?.problems ?? [])],
      isGlobal: textOf(plain.deploy?.mode, env) === 'global',
      targetPorts: targetPortsOf(plain.ports, env),
      replicas: Number(textOf(plain.deploy?.replicas, env) ?? 1),
      networks: networksOf(plain.networks),
      ...traefikProcessOf(plain, env),
    });
  }
  return {
    name: typeof root.name === 'string' ? root.name : undefined,
    services,
    networkNames: networkNamesOf(root.networks, env),
  };
}

function faultOf({ code, message }: YamlFault): string {
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here (---): a stack file is one document';
  return message;
}

/** Later files win, label by label, as `docker stack deploy -c a.yml -c b.yml` has it. */
export function mergeCompose(files: readonly ComposeFile[]): ComposeFile {
  const services = new Map<string, ComposeService>();
  const networkNames = new Map<string, string>();
  let name: string | undefined;
  for (const file of files) {
    name = file.name ?? name;
    for (const [key, network] of file.networkNames) networkNames.set(key, network);
    for (const [key, service] of file.services) {
      const before = services.get(key);
      services.set(
        key,
        before === undefined
          ? service
          : {
              ...service,
              problems: [...before.problems, ...service.problems],
              labels: new Map([...before.labels, ...service.labels]),
              labelPositions: new Map([...before.labelPositions, ...service.labelPositions]),
              misplacedLabels: [...before.misplacedLabels, ...service.misplacedLabels],
            },
      );
    }
  }
  return { name, services, networkNames };
}

/** `80`, `8080:80`, `127.0.0.1:8080:80/tcp`, or a map with `target`; ranges are left out. */
function targetPortsOf(ports: unknown, env: Environment): readonly number[] {
  if (!Array.isArray(ports)) return [];
  return ports.flatMap((port: unknown) => {
    const isMap = typeof port === 'object' && port !== null;
    const fields = new Map<string, unknown>(isMap ? Object.entries(port) : []);
    const text = textOf(isMap ? fields.get('target') : port, env) ?? '';
    const match = /^(?:.*:)?(\d{1,5})(?:\/(\w+))?$/.exec(text);
    const protocol = textOf(fields.get('protocol'), env) ?? match?.[2] ?? 'tcp';
    return match === null || protocol !== 'tcp' ? [] : [Number(match[1])];
  });
}

interface PlainService {
  readonly ports?: unknown;
  readonly deploy?: { readonly mode?: unknown; readonly replicas?: unknown } | null;
  readonly networks?: unknown;
  readonly image?: unknown;
  readonly command?: unknown;
  readonly entrypoint?: unknown;
  readonly environment?: unknown;
  readonly configs?: unknown;
}

function textOf(value: unknown, env: Environment): string | undefined {
  return value === undefined || value === null ? undefined : interpolate(String(value), env).value;
}
