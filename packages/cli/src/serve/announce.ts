import type { Route, StatusResponse } from '@swarmgate/proxy';
import type { Registry } from '@swarmgate/registry';
import type { Settings } from '@swarmgate/runtime';
import { table } from '../output/table.ts';

type RegistryState = StatusResponse['registry']['state'];

export interface Announcement {
  readonly settings: Settings;
  readonly registry: Registry;
  readonly state: RegistryState;
  readonly followsSwarm: boolean;
  /** Absent where the Swarm has services that are reachable from this host. */
  readonly samples: object | undefined;
  readonly routes: readonly Route[];
}

/** The text of `npm start` once requests are served: its sources, and addresses that respond. */
export function announce({ settings, registry, state, followsSwarm, samples, routes }: Announcement): string {
  const entry = settings.defaultPorts.find(({ secure }) => !secure) ?? settings.defaultPorts[0];
  const base = `http://localhost${entry === undefined || entry.port === 80 ? '' : `:${entry.port}`}`;
  const lines = [
    '',
    'Swarmgate is ready.',
    `  console   ${adminBase(settings)}/`,
    `  services  ${servicesOf({ settings, state, followsSwarm, samples })}`,
    `  registry  ${registry.store.description}${remarkOn(registry, state)}`,
    `  REST      ${adminBase(settings)}/v1/status  /v1/routes  /v1/problems  /metrics`,
    ...consulUiOf(settings),
    '',
    routes.length === 0
      ? 'No route has an endpoint yet: see npx swarmgate status and npx swarmgate problems'
      : table(
          ['TRY', 'SERVICE', 'OWNER'],
          routes.slice(0, 5).map((route) => [command(base, route), route.definition.service, route.definition.owner]),
        ),
    '',
    'Stop it with Ctrl-C.',
  ];
  return lines.join('\n');
}

/** The text while nothing can be served yet: the registry was never read and no snapshot is on disk. */
export function announceWaiting(
  settings: Pick<Settings, 'adminPort' | 'adminTls'>,
  { store }: Pick<Registry, 'store'>,
  state: RegistryState,
): string {
  const why =
    state.kind === 'away'
      ? `is unreachable: ${state.error}`
      : state.kind === 'holding'
        ? 'is empty'
        : 'has not responded yet';
  return [
    '',
    'Swarmgate is not ready: it serves no route until its registry was read.',
    `  registry  ${store.description} ${why}`,
    ...(store.kind === 'consul'
      ? ['            Check CONSUL_HTTP_ADDR, and CONSUL_HTTP_TOKEN if Consul requires one.']
      : []),
    `  console   ${adminBase(settings)}/`,
    `  REST      ${adminBase(settings)}/v1/status`,
    '',
    'It continues by itself once the registry responds. Stop it with Ctrl-C.',
  ].join('\n');
}

function adminBase({ adminPort, adminTls }: Pick<Settings, 'adminPort' | 'adminTls'>): string {
  return `${adminTls === undefined ? 'http' : 'https'}://localhost:${adminPort}`;
}

function consulUiOf({ consulUiPort, consulUiInsecure }: Settings): readonly string[] {
  if (consulUiPort === 'off') return [];
  const scheme = consulUiInsecure ? 'http' : 'https';
  return [`  Consul    ${scheme}://localhost:${consulUiPort}/ui/  (any user name, ADMIN_TOKEN as the password)`];
}

function servicesOf({
  settings,
  state,
  followsSwarm,
  samples,
}: Pick<Announcement, 'settings' | 'state' | 'followsSwarm' | 'samples'>): string {
  const socket = settings.dockerHost ?? '/var/run/docker.sock';
  if (isSilent(state)) return `those last loaded, from ${settings.dataDir}`;
  if (followsSwarm)
    return `Docker Swarm at ${socket}${samples === undefined ? '' : ', which has no labelled service that is reachable from this host: samples as well'}`;
  const meanwhile = samples === undefined ? 'those of the registry' : 'samples of examples/';
  return `${meanwhile} (no Docker Swarm responds at ${socket}; it is followed as soon as one does)`;
}

/** Routes come from the snapshot on disk. */
function isSilent({ kind }: RegistryState): boolean {
  return kind === 'away' || kind === 'starting';
}

function remarkOn({ store }: Registry, state: RegistryState): string {
  if (isSilent(state)) {
    const why = state.kind === 'away' ? `is unreachable (${state.error})` : 'has not responded yet';
    return `, which ${why}; changes are followed as soon as it responds`;
  }
  return store.kind === 'embedded' ? ' (CONSUL_HTTP_ADDR is not set)' : '';
}

/** A command line that requests the route. */
function command(base: string, { destination }: Route): string {
  const [domain] = destination.serviceDomain ?? [];
  const path = destination.servicePath?.[0] ?? '/';
  const host = domain === undefined ? '' : `-H 'Host: ${domain.replace(/^\*\.?/, 'www.')}' `;
  return `curl ${host}${base}${path}`;
}
