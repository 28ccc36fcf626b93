import { otherLabels } from '@swarmgate/labels';
import { settingsWithoutEffect } from '@swarmgate/runtime';
import { type ListedLabel, listedLabels } from './label-lists.ts';
import { code, generatedNote, table } from './markdown.ts';

/** docs/migrating-from-docker-flow.md: what is the same, fixed, refused, ignored and new. */
export function migrationPage(): string {
  const labels = listedLabels();
  const byKind = (kind: string) => labels.filter(({ entry }) => entry.dockerFlow.kind === kind);
  return `${[
    '# From Docker Flow Proxy',
    generatedNote('packages/labels/src/catalogue and scripts/docs/migration-page.ts'),
    steps,
    '## Labels that mean the same',
    `${byKind('same')
      .map(({ entry }) => code(entry.name))
      .join(', ')}.`,
    '## Labels that do what users expected',
    table(
      ['label', 'what is different'],
      byKind('fixed').map(({ entry }) => [
        code(entry.name),
        entry.dockerFlow.kind === 'fixed' ? entry.dockerFlow.change : '',
      ]),
    ),
    '## Labels that are refused',
    'The definition is rejected; where an earlier one was good, it stays in force. The problem names the replacement.',
    table(['label', 'instead'], [...refused(), ...refusedValues]),
    '## Labels that are ignored, with a warning',
    table(['label', 'why'], ignored()),
    '## Settings that have no effect',
    'The proxy logs a warning with the same advice for each one that is set.',
    table(
      ['setting', 'instead'],
      settingsWithoutEffect.map(({ name, suggestion }) => [code(name), suggestion]),
    ),
    '## Labels that are deprecated',
    table(['label', 'use'], deprecated(labels)),
    '## Labels that are new',
    table(
      ['label', 'meaning'],
      byKind('new').map(({ entry }) => [code(entry.name), entry.meaning]),
    ),
    behaviour,
  ].join('\n\n')}\n`;
}

const steps = `1. In the stack file, change the images of \`docker-flow-proxy\` and \`docker-flow-swarm-listener\` to Swarmgate’s, and give both the
   address of a Consul (\`CONSUL_HTTP_ADDR\`); \`docker/stack.yml\` has one.
2. Set \`ADMIN_TOKEN\` on the proxy. Docker Flow’s \`reconfigure\` and \`remove\` are open to everyone who reaches port 8080; here every call
   but \`/healthz\` and \`/readyz\` needs \`Authorization: Bearer <token>\`. \`ADMIN_READ=open\` keeps status, routes, problems and
   metrics open, \`ADMIN_TOKEN=none\` everything, with a warning.
3. Run \`npx swarmgate check stack.yml\` over your stacks: it prints every label below that concerns you.

Services, labels, \`DFP_SERVICE_*\` variables, paths and responses of both REST interfaces stay as they are. \`ORDER=legacy\` keeps Docker
Flow’s order of matching and its raw string prefixes; the default, \`strict\`, prefers the more specific match.`;

const refusedValues: readonly (readonly string[])[] = [
  ['`pathType` with another HAProxy fetch', 'use `path_beg`, `path`, `path_end`, `path_reg`, `path_sub` or `path_dir`'],
  ['`connectionMode=http-tunnel`', 'use `http-keep-alive`; upgrades are tunnelled anyway'],
  ['`connectionMode=forceclose`', 'use `httpclose`'],
  ['header rules with other expressions or conditions', 'see [labels](labels.md#the-language-of-header-rules)'],
];

const behaviour = `## Behaviour that differs

| Docker Flow | Swarmgate |
|---|---|
| one bad service makes HAProxy refuse the whole configuration | it keeps its last good definition; every other route is untouched |
| HAProxy is reloaded for every change | the table is swapped in memory; requests in flight keep the one they started with |
| each proxy is notified by HTTP; replicas can differ | all follow one registry; \`GET /v1/status\` names the revision each serves |
| routes are lost with the process | they are in Consul, and in a snapshot on disk |
| \`/config\` prints passwords, \`/certs\` private keys | both are redacted; the registry holds salted hashes and ciphertext |
| the path prefix \`/digital\` matches \`/digitalproducts\` | a prefix ends at a segment (\`ORDER=legacy\`: as before) |
| \`X-Forwarded-Proto\` is trusted from anyone | only from \`TRUSTED_PROXIES\` |
| wrong booleans are false, unknown labels nothing | an error that names the label; a warning with the nearest known name |
| only the first destination is checked | each one is |
| removing \`com.df.notify\`, or setting it to false, leaves the route | it removes the route |`;

function refused(): readonly (readonly string[])[] {
  return otherLabels.flatMap(({ name, kind }) => (kind.kind === 'refused' ? [[code(name), kind.replacement]] : []));
}

function ignored(): readonly (readonly string[])[] {
  return [
    ...otherLabels.flatMap(({ name, kind }) => (kind.kind === 'ignored' ? [[code(name), kind.why]] : [])),
    ['anything unknown', 'the warning names the nearest known label'],
  ];
}

function deprecated(labels: readonly ListedLabel[]): readonly (readonly string[])[] {
  return [
    ...otherLabels.flatMap(({ name, kind }) =>
      kind.kind === 'deprecated' ? [[code(name), code(kind.replacement)]] : [],
    ),
    ...labels.flatMap(({ entry }) => (entry.aliases ?? []).map((alias) => [code(alias), code(entry.name)])),
  ];
}
