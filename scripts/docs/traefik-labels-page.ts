import {
  combinedServiceKeys,
  fileTcpServiceKeys,
  generalKeys,
  type KeyDocs,
  middlewareKeys,
  routerKeys,
  serviceKeys,
  tcpMiddlewareKeys,
  tcpRouterKeys,
  tcpServiceKeys,
} from '@swarmgate/labels/traefik';
import { code, generatedNote, table } from './markdown.ts';

/** docs/traefik-labels.md: every label of Traefik that is read, and what becomes of it. */
export function traefikLabelsPage(): string {
  return `${[
    '# Labels of Traefik',
    generatedNote('packages/labels/src/traefik/label-keys.ts'),
    intro,
    section('General', 'traefik.', generalKeys),
    section('Routers', 'traefik.http.routers.<name>.', routerKeys),
    section('Services', 'traefik.http.services.<name>.', serviceKeys),
    '## Services of services\n\nBehind `http.services.<name>.` of `TRAEFIK_FILE`. Its services must be of one scheme.',
    keyTable(combinedServiceKeys, 'key'),
    '## Middlewares\n\nBehind `traefik.http.middlewares.<name>.`; what each does is in [middlewares](middlewares.md).',
    table(
      ['kind', 'options'],
      Object.entries(middlewareKeys).map(([kind, keys]) => [code(kind), keys.map(code).join(' ')]),
    ),
    section('TCP routers', 'traefik.tcp.routers.<name>.', tcpRouterKeys),
    '## TCP middlewares\n\nBehind `traefik.tcp.middlewares.<name>.`. Connections that they refuse are reset.',
    table(
      ['kind', 'options'],
      Object.entries(tcpMiddlewareKeys).map(([kind, keys]) => [code(kind), keys.map(code).join(' ')]),
    ),
    section('TCP services', 'traefik.tcp.services.<name>.', tcpServiceKeys),
    'In `TRAEFIK_FILE` also:',
    keyTable(fileTcpServiceKeys, 'key'),
  ].join('\n\n')}\n`;
}

const intro = `Read with \`LABELS=df,traefik\`; the way over from Traefik is in [from Traefik](from-traefik.md). Labels stand under
\`deploy.labels\` and are compared without case. What is not served as Traefik would serve it is a problem of its service, and is
never served more openly:

- A label of a router, service or middleware that Traefik does not know costs the whole service, as in Traefik: it may be a
  misspelt restriction.
- A middleware that is missing, misspelt or not supported (\`digestAuth\`, \`plugin\`, users in a file) closes the routers that name it:
  503 \`unsupported-feature\`.
- A rule, priority, port or service that cannot be used takes the router away, and an unknown entrypoint serves nothing.
- Where nothing of a service is left, its former definition goes too.

Names of middlewares and services are shared across the Swarm; \`@docker\` and \`@swarm\` are the Swarm itself. Of two different
definitions of one name that of the older service holds. Of \`api@internal\` and the like the middlewares run, and then the response
is 404. UDP is not served.`;

function section(title: string, prefix: string, keys: readonly KeyDocs[]): string {
  return `## ${title}\n\nBehind ${code(prefix)}:\n\n${keyTable(keys)}`;
}

function keyTable(keys: readonly KeyDocs[], what = 'label'): string {
  const rows = keys.map(({ key, meaning }) => [code(key), meaning ?? 'accepted, without effect']);
  return table([what, 'what becomes of it'], rows);
}
