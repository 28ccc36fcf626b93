import { boolean, list, type Parsed, text } from './parsers.ts';
import { given, listening, optional } from './setting.ts';

const families = ['df', 'traefik'] as const;
export type LabelFamily = (typeof families)[number];

const reading = [...listening, 'cli'] as const;

/** Which labels the listener reads, and what stands in Traefik's own flags. */
export const traefikSettings = {
  labelFamilies: given({
    env: ['LABELS'],
    parse: labelFamilies,
    default: 'df',
    defaultFor: { standalone: 'df,traefik', cli: 'df,traefik' },
    usedBy: reading,
    meaning:
      'Families of labels that are read: `df` (`com.df.*`), `traefik` (`traefik.*`). Of a service with both, `com.df.*` hold where `com.df.notify` is true',
  }),
  traefikService: optional({
    env: ['TRAEFIK_SERVICE'],
    parse: text,
    usedBy: listening,
    meaning:
      'Swarm service whose flags (else `TRAEFIK_*` environment) are read as the settings below: one whose image is called `traefik`. Settings that are given count before flags. While a service that is named here, or was read before, is missing, what is registered of `traefik.*` labels stays as it is. `off` reads none. Without it: the only such service, and two are a problem',
  }),
  traefikExposedByDefault: optional({
    env: ['TRAEFIK_EXPOSED_BY_DEFAULT'],
    parse: boolean,
    usedBy: reading,
    meaning:
      'Serve services that have `traefik.*` labels without `traefik.enable`. Without it: as in Traefik’s flags (default there: `true`), and `false` where none are read',
  }),
  traefikConstraints: optional({
    env: ['TRAEFIK_CONSTRAINTS'],
    parse: text,
    usedBy: reading,
    meaning: 'Traefik’s expression over labels that selects services: ``Label(`traefik.constraint-label`, `public`)``',
  }),
  traefikEntrypoints: optional({
    env: ['TRAEFIK_ENTRYPOINTS'],
    parse: entrypoints,
    usedBy: reading,
    meaning:
      'Names of Traefik’s entrypoints and their ports: `web=80,websecure=443:ssl`; `plain` is every port without TLS, `ssl` every one with it. `web` is `plain`, `websecure` is `ssl` unless they are named; `http` is as `web`, `https` as `websecure`',
  }),
  traefikDefaultRule: optional({
    env: ['TRAEFIK_DEFAULT_RULE'],
    parse: text,
    usedBy: reading,
    meaning:
      'Rule of routers that have none. Without it ``Host(`{{ normalize .Name }}`)``; rules are written with `{{ normalize .Name }}`, `{{ .Name }}` and ``{{ index .Labels `key` }}``',
  }),
  traefikFile: optional({
    env: ['TRAEFIK_FILE'],
    parse: text,
    usedBy: reading,
    meaning:
      'Traefik’s dynamic file in YAML or TOML, or a folder of such files: its routers, services and middlewares are those with `@file`. A change counts within 2 s; a version that cannot be read is a problem, and the one before it stays; while there is none, what is registered of `traefik.*` labels stays',
  }),
  traefikNetwork: optional({
    env: ['TRAEFIK_NETWORK'],
    parse: text,
    usedBy: reading,
    meaning:
      'Network over which services with `traefik.*` labels are reached, unless `traefik.swarm.network` or `traefik.docker.network` names one. Without it: every network that proxy and service share',
  }),
} as const;

function labelFamilies(raw: string): Parsed<readonly LabelFamily[]> {
  const parts = list(raw);
  const found = parts.ok ? families.filter((family) => parts.value.includes(family)) : [];
  return parts.ok && found.length > 0 && parts.value.every((part) => families.some((family) => family === part))
    ? { ok: true, value: found }
    : { ok: false, expected: 'df, traefik, or both with a comma between' };
}

/** Names of Traefik’s entrypoints that are known without a setting. */
export const usualEntrypoints: ReadonlyMap<string, readonly string[]> = new Map([
  ['web', ['plain']],
  ['http', ['plain']],
  ['websecure', ['ssl']],
  ['https', ['ssl']],
]);

/** Names in lower case. One that is named twice has both ports. */
function entrypoints(raw: string): Parsed<ReadonlyMap<string, readonly string[]>> {
  const found = new Map(usualEntrypoints);
  const named = new Set<string>();
  for (const part of raw.split(',').map((each) => each.trim())) {
    if (part === '') continue;
    const match = /^([\w-]+)\s*=\s*(plain|ssl|([1-9]\d{0,4})(?::ssl)?)$/.exec(part);
    const name = match?.[1]?.toLowerCase();
    const port = match?.[2];
    if (name === undefined || port === undefined || Number(match?.[3] ?? 1) > 65_535)
      return { ok: false, expected: 'names and ports such as web=80,websecure=443:ssl,internal=8000' };
    found.set(name, named.has(name) ? [...(found.get(name) ?? []), port] : [port]);
    named.add(name);
  }
  // Another name of the same entrypoint: it must not be at ports where that one is not.
  for (const [name, other] of [
    ['http', 'web'],
    ['https', 'websecure'],
  ] as const) {
    const ports = found.get(other);
    if (named.has(other) && !named.has(name) && ports !== undefined) found.set(name, ports);
  }
  return { ok: true, value: found };
}
