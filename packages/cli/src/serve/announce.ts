import type { Route } from '@swarmgate/proxy';
import type { Registry } from '@swarmgate/registry';
import type { Settings } from '@swarmgate/runtime';
import { table } from '../output/table.ts';

export interface Announcement {
  readonly settings: Settings;
  readonly registry: Registry;
  readonly followsSwarm: boolean;
  /** Absent where the Swarm has services that are usable from here. */
  readonly samples: object | undefined;
  readonly routes: readonly Route[];
}

/** What `npm start` says once requests are served: what it uses, and addresses that answer. */
export function announce({ settings, registry, followsSwarm, samples, routes }: Announcement): string {
  const socket = settings.dockerHost ?? '/var/run/docker.sock';
  const entry = settings.defaultPorts.find(({ secure }) => !secure) ?? settings.defaultPorts[0];
  const base = `http://localhost${entry === undefined || entry.port === 80 ? '' : `:${entry.port}`}`;
  const services = followsSwarm
    ? `Docker Swarm at ${socket}${samples === undefined ? '' : ', where no labelled service is usable from this host: samples as well'}`
    : `${samples === undefined ? 'those of the registry' : 'samples of examples/'} (no Docker Swarm answers at ${socket}; it is followed as soon as it does)`;
  const lines = [
    '',
    'Swarmgate is ready.',
    `  services  ${services}`,
    `  registry  ${registry.store.description}${registry.store.kind === 'embedded' ? ' (CONSUL_HTTP_ADDR is not set)' : ''}`,
    `  admin     http://localhost:${settings.adminPort}/v1/status  /v1/routes  /v1/problems  /metrics`,
    '',
    routes.length === 0
      ? 'No route leads anywhere yet: see npx swarmgate status and npx swarmgate problems'
      : table(
          ['TRY', 'SERVICE', 'OWNER'],
          routes.slice(0, 5).map((route) => [command(base, route), route.definition.service, route.definition.owner]),
        ),
    '',
    'Stop it with Ctrl-C.',
  ];
  return lines.join('\n');
}

/** A command that reaches the route. */
function command(base: string, { destination }: Route): string {
  const [domain] = destination.serviceDomain ?? [];
  const path = destination.servicePath?.[0] ?? '/';
  const host = domain === undefined ? '' : `-H 'Host: ${domain.replace(/^\*\.?/, 'www.')}' `;
  return `curl ${host}${base}${path}`;
}
