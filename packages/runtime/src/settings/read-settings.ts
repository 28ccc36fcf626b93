import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openToAll } from '../authorization.ts';
import { messageOf, UsageError } from '../errors.ts';
import { readRegularFileSync } from '../regular-file.ts';
import { settingsCatalogue } from './catalogue.ts';
import { missingForAcme } from './missing-for-acme.ts';
import type { Role, Setting } from './setting.ts';
import { objectionToFolder, objectionToPem } from './usable-paths.ts';

type Catalogue = typeof settingsCatalogue;
type ValueOf<S> = S extends { readonly parse: (text: string) => infer P; readonly default: infer D }
  ? (P extends { readonly ok: true; readonly value: infer V } ? V : never) | (D extends string ? never : undefined)
  : never;

/** Every setting, parsed. Durations are in milliseconds, and their names end in `Ms`. */
export type Settings = { readonly [K in keyof Catalogue]: ValueOf<Catalogue[K]> } & {
  /** `DEFAULT_<LABEL>` by what follows `DEFAULT_`, unread: other settings and empty ones left out. */
  readonly defaultLabels: Readonly<Record<string, string>>;
  /** `TRAEFIK_<ENTRYPOINT>_REDIRECT`, `_MIDDLEWARES`, `_TLS`, `_AS_DEFAULT` and `_CLOSED` by what follows `TRAEFIK_`, unread. */
  readonly traefikOfEntrypoints: Readonly<Record<string, string>>;
};

export interface SettingsSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where Docker mounts secrets. Default `/run/secrets`. */
  readonly secretsDir?: string;
}

/**
 * Reads every setting for one role: the environment first, then `<NAME>_FILE`, then the secret file `dfp_<lower>`
 * (Docker Flow's convention; `df_…` names keep their own), then the default. A wrong value of a setting that the role
 * does not use counts as not set: `DOCKER_HOST` may be meant for another program.
 * @throws UsageError `settings-invalid` naming every wrong variable, its value and what is allowed, all at once.
 */
export function readSettings(role: Role, source: SettingsSource): Settings {
  const { settings, wrong } = read(role, source);
  refuse(wrong);
  return settings;
}

/**
 * As `readSettings`, for a process that will use the files and folders that settings name: they are looked at too, and
 * `DATA_DIR` is made.
 */
export function openSettings(role: Role, source: SettingsSource): Settings {
  const { settings, wrong } = read(role, source);
  for (const [name, entry] of Object.entries(settingsCatalogue)) {
    const setting = entry as Setting<unknown>;
    const path: unknown = settings[name as keyof Settings];
    if (setting.pathOf === undefined || typeof path !== 'string' || !setting.usedBy.includes(role)) continue;
    // Beside Consul the folder only keeps what helps a cold start: one that cannot be written to any more, on a disk that
    // fails, must not keep a proxy from serving.
    const needs = settings.consulAddress === undefined ? 'writable' : 'present';
    const objection = setting.pathOf === 'pem-file' ? objectionToPem(path) : objectionToFolder(path, needs);
    if (objection !== undefined) wrong.push(`${setting.env[0]}=${JSON.stringify(path)}: ${objection}`);
  }
  wrong.push(
    ...sharedPorts(role, settings),
    ...unreadableRest(settings),
    ...missingForConsulUi(role, settings),
    ...missingForAcme(role, settings),
    ...halfOfClientCertificate(role, settings),
  );
  refuse(wrong);
  return settings;
}

function unreadableRest({ adminRead, adminToken }: Settings): readonly string[] {
  return adminRead === 'token' && (adminToken === undefined || adminToken === openToAll)
    ? [`ADMIN_READ=token: expected a token in ADMIN_TOKEN, which is ${adminToken === openToAll ? '`none`' : 'not set'}`]
    : [];
}

/** Ports that two settings of one process name: the system would report them as "in use by another process". */
function sharedPorts(
  role: Role,
  { defaultPorts, bindPorts, adminPort, consulUiPort, listenerPort }: Settings,
): readonly string[] {
  if (role !== 'proxy' && role !== 'standalone') return [];
  const requested: (readonly [name: string, port: number | 'off'])[] = [
    ...defaultPorts.map(({ port }) => ['DEFAULT_PORTS', port] as const),
    ...bindPorts.map(({ port }) => ['BIND_PORTS', port] as const),
    ['ADMIN_PORT', adminPort],
    ['CONSUL_UI_PORT', consulUiPort],
    ...(role === 'standalone' ? [['LISTENER_PORT', listenerPort] as const] : []),
  ];
  return requested.flatMap(([name, port], at) => {
    const other = requested.slice(0, at).find(([, taken]) => taken === port);
    return other === undefined || port === 'off'
      ? []
      : [`${other[0]} and ${name}: expected another port than ${port} for one of them`];
  });
}

/** Without a token everyone who reaches the port would have Consul's API; without Consul there is nothing to show. */
function missingForConsulUi(role: Role, { consulUiPort, adminToken, consulAddress }: Settings): readonly string[] {
  if ((role !== 'proxy' && role !== 'standalone') || consulUiPort === 'off') return [];
  return [
    ...(adminToken === undefined || adminToken === openToAll
      ? [`CONSUL_UI_PORT=${consulUiPort}: expected ADMIN_TOKEN to be set, to another value than ${openToAll}`]
      : []),
    ...(consulAddress === undefined ? [`CONSUL_UI_PORT=${consulUiPort}: expected CONSUL_HTTP_ADDR to be set`] : []),
  ];
}

/** Either alone is of no use, and the collector would refuse every call. */
function halfOfClientCertificate(role: Role, { otlpClientCertificate, otlpClientKey }: Settings): readonly string[] {
  if (role !== 'proxy' && role !== 'standalone') return [];
  if ((otlpClientCertificate === undefined) === (otlpClientKey === undefined)) return [];
  const [set, missing] =
    otlpClientKey === undefined ? (['CERTIFICATE', 'KEY'] as const) : (['KEY', 'CERTIFICATE'] as const);
  return [`OTEL_EXPORTER_OTLP_CLIENT_${set}: expected OTEL_EXPORTER_OTLP_CLIENT_${missing} to be set too`];
}

function refuse(wrong: readonly string[]): void {
  if (wrong.length > 0) throw new UsageError('settings-invalid', `wrong settings:\n  ${wrong.join('\n  ')}`);
}

function read(role: Role, source: SettingsSource): { readonly settings: Settings; readonly wrong: string[] } {
  const values: Record<string, unknown> = {};
  const wrong: string[] = [];
  for (const [name, entry] of Object.entries(settingsCatalogue)) {
    const setting = entry as Setting<unknown>;
    const given = findGiven(setting, source);
    const parsed = given.kind === 'given' ? setting.parse(given.text) : undefined;
    values[name] = parsed?.ok ? parsed.value : defaultOf(setting, role);
    if (!setting.usedBy.includes(role)) continue;
    if (given.kind === 'unreadable') wrong.push(given.problem);
    if (given.kind !== 'given' || parsed?.ok !== false) continue;
    const shown = setting.secret ? '(secret)' : JSON.stringify(given.text);
    wrong.push(`${given.from}=${shown}: expected ${parsed.expected}`);
  }
  const settings = {
    ...values,
    defaultLabels: defaultLabelsIn(source.env),
    traefikOfEntrypoints: traefikOfEntrypointsIn(source.env),
  } as unknown as Settings;
  return { settings, wrong };
}

const settingNames = new Set(Object.values(settingsCatalogue).flatMap(({ env }): readonly string[] => env));

/** Labels are known to another package, which reads the values. */
function defaultLabelsIn(env: SettingsSource['env']): Settings['defaultLabels'] {
  const found: Record<string, string> = {};
  for (const [variable, value] of Object.entries(env)) {
    const name = /^DEFAULT_([A-Z][A-Z0-9_]*)$/.exec(variable)?.[1];
    if (name === undefined || value === undefined || value === '') continue;
    if (!settingNames.has(variable) && !settingNames.has(variable.replace(/_FILE$/, ''))) found[name] = value;
  }
  return found;
}

/** Variables of Traefik itself are not among them, which may stand in the same environment. */
function traefikOfEntrypointsIn(env: SettingsSource['env']): Settings['traefikOfEntrypoints'] {
  const found: Record<string, string> = {};
  for (const [variable, value] of Object.entries(env)) {
    const name =
      /^TRAEFIK_(?!ENTRYPOINTS_|PROVIDERS_|CERTIFICATESRESOLVERS_)([A-Z0-9_]+_(?:REDIRECT|MIDDLEWARES|TLS|AS_DEFAULT|CLOSED))$/.exec(
        variable,
      )?.[1];
    if (name !== undefined && value !== undefined && value !== '') found[name] = value;
  }
  return found;
}

function defaultOf(setting: Setting<unknown>, role: Role): unknown {
  const text = setting.defaultFor?.[role] ?? setting.default;
  if (text === undefined) return undefined;
  const parsed = setting.parse(text);
  return parsed.ok ? parsed.value : undefined;
}

/** More than any value has, a PEM with its chain included. */
const mostValueBytes = 1_048_576;

type Given =
  | { readonly kind: 'absent' }
  | { readonly kind: 'given'; readonly text: string; readonly from: string }
  | { readonly kind: 'unreadable'; readonly problem: string };

/** Whether the environment, `<NAME>_FILE` or a secret sets this variable. */
export function isGiven(name: string, source: SettingsSource): boolean {
  return findGiven({ env: [name] }, source).kind !== 'absent';
}

function contentOf(file: string, from: string, shown: string): Given {
  try {
    return { kind: 'given', text: readRegularFileSync(file, { mostBytes: mostValueBytes }).trim(), from };
  } catch (error) {
    return { kind: 'unreadable', problem: `${shown}: cannot be read (${messageOf(error)})` };
  }
}

function findGiven(setting: Pick<Setting<unknown>, 'env'>, source: SettingsSource): Given {
  for (const name of setting.env) {
    const direct = source.env[name];
    // An empty variable counts as not set: stack files write `NAME=${NAME:-}`.
    if (direct !== undefined && direct !== '') return { kind: 'given', text: direct, from: name };
    const file = source.env[`${name}_FILE`];
    if (file !== undefined && file !== '') {
      return contentOf(file, `${name}_FILE`, `${name}_FILE=${JSON.stringify(file)}`);
    }
    const lower = name.toLowerCase();
    for (const secretName of [`dfp_${lower}`, ...(lower.startsWith('df_') ? [lower] : [])]) {
      const secret = join(source.secretsDir ?? '/run/secrets', secretName);
      if (existsSync(secret)) return contentOf(secret, secret, secret);
    }
  }
  return { kind: 'absent' };
}
