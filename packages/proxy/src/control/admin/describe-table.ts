import { hostPort } from '@swarmgate/runtime';
import type { AdminParts } from './admin-parts.ts';
import { conditionsOf } from './view-route.ts';

/**
 * The route table as text, in matching order, each route on one line, with a comment above it if it has a problem
 * about it, in pieces of a few lines: what Docker Flow's `config` shows as haproxy.cfg. Holds no secrets: conditions and addresses only.
 */
export function* describeTable({
  server,
  follower,
  settings,
}: Pick<AdminParts, 'server' | 'follower' | 'settings'>): Generator<string> {
  const table = server.table();
  const { served } = follower;
  const lines = [
    `# Swarmgate route table, revision ${served.revision}`,
    `# ${table.size} routes of ${served.services.size} services in matching order (${settings.order}): the first that fits serves the request`,
  ];
  for (const entrypoint of server.entrypoints()) {
    const name = `${entrypoint.port}${entrypoint.secure ? ':ssl' : ''}`;
    lines.push(
      entrypoint.state === 'open' ? `# entrypoint ${name} open` : `# entrypoint ${name} closed: ${entrypoint.reason}`,
    );
  }
  for (const [key, problems] of served.rejected)
    for (const { message } of problems) lines.push(`# ${key}: ${oneLine(message)}`);
  yield `${lines.join('\n')}\n\n`;
  for (const route of table.routes()) {
    const about: string[] = [];
    const origin = served.services.get(route.key)?.origin ?? 'registry';
    if (origin !== 'registry') about.push(`# ${route.id} is served from ${origin}`);
    if (route.blockedBy !== undefined) about.push(`# responds with 503: ${route.blockedBy} cannot be honoured`);
    const conditions = Object.entries(conditionsOf(route)).map(
      ([label, value]) => `${label}=${oneLine(textOf(value))}`,
    );
    const endpoints = server
      .endpointsOf(route)
      .map(
        ({ endpoint, health }) => `${hostPort(endpoint.host, endpoint.port)}${health === 'ejected' ? '(ejected)' : ''}`,
      );
    const target =
      route.redirectToHost === undefined
        ? `${endpoints.length === 0 ? '(no endpoint)' : endpoints.join(' ')}`
        : `redirect to ${route.redirectToHost}`;
    about.push(`route ${route.id} ${conditions.join(' ')} -> ${target}`);
    yield `${about.join('\n')}\n`;
  }
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Text from labels must not forge a line or move the cursor of a terminal. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, ' ');
}
