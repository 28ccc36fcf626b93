import { type LabelEntry, otherLabels, overridableLabels, serviceBounds } from '@swarmgate/labels';
import { listedLabels } from './label-lists.ts';
import { code, generatedNote, table } from './markdown.ts';

/** docs/labels.md: every label with its meaning, default and one example. */
export function labelsPage(): string {
  const labels = listedLabels();
  const ofDestination = labels.filter(({ scope }) => scope === 'destination').map(({ entry }) => entry);
  const ofService = labels.filter(({ scope }) => scope === 'service').map(({ entry }) => entry);
  return `${[
    '# Labels',
    generatedNote('packages/labels/src/catalogue'),
    intro,
    '## Of a destination',
    'Each may carry an index, `.1` to `.1000`.',
    labelTable(ofDestination),
    '## Of the whole service',
    `Of these, one destination may have its own, with its index: ${Object.values(overridableLabels)
      .map(({ name }) => code(name))
      .join(', ')}. They take the place of the service’s. Passwords in \`users.1\` are hashes.`,
    labelTable(ofService),
    '## Of the listener',
    table(
      ['label', 'meaning', 'example'],
      otherLabels
        .filter(({ kind }) => kind.kind === 'listener')
        .map(({ name, meaning, example }) => [code(`com.df.${name}`), meaning, code(example)]),
    ),
    '## Deprecated, ignored, refused',
    table(['label', 'what happens', 'instead'], otherRows()),
    headerLanguage,
  ].join('\n\n')}\n`;
}

const number = (value: number) => value.toLocaleString('en');

const intro = `A service requests a route by labels on the service (\`deploy.labels\` in a stack file, not container labels). The same
names, without \`com.df.\`, are the query parameters of \`reconfigure\` and, in \`UPPER_SNAKE\` after \`DFP_SERVICE_<N>_\`, environment
variables of the proxy.

- A service with several matches numbers them: \`com.df.servicePath.1\`, \`com.df.port.1\`, \`com.df.servicePath.2\`, … The count starts
  at 1, has no gaps and ends at 1000 (Docker Flow reads 10). A destination exists where \`servicePath\`, \`serviceDomain\`, \`port\` or \`httpsPort\` carries its
  index. Labels without an index are then defaults for every destination.
- Lists are separated by commas (\`SEPARATOR\` changes that); blanks around the parts do not count. A comma belongs to a value behind a
  backslash (\`/a\\,b\`), in quotes around the whole part (\`"/a,b"\`) and in closed brackets (\`^/v\\d{1,3}/\`, \`(KHTML, like Gecko)\`).
  Passwords with a comma take the backslash: \`jane:se\\,cret\`.
- Paths are compared in one form: percent-encoded where a URI needs it, with upper-case digits, without parameters (\`;x\`), with \`//\`
  merged and dot segments resolved. Patterns are brought into it (\`/Grüße\` is \`/Gr%C3%BC%C3%9Fe\`); one that no path can match is an
  error, in \`servicePathExclude\` too. Expressions are not rewritten: a literal that paths hold in another spelling (\`ü\`, \`{\`, a
  blank, \`%c3\`) is an error.
- A service has at most ${number(serviceBounds.destinations)} destinations, ${number(serviceBounds.hosts)} host names, ${number(serviceBounds.patterns)} paths, user agents, header conditions and
  rewrites, ${number(serviceBounds.matchRules)} pairs of host and path, ${number(serviceBounds.expressionCost)} instructions of compiled expressions (some 1,000 usual ones), over all
  destinations, and a definition of 180,000 bytes. Beyond a bound the definition is rejected: \`service-too-large\`,
  \`definition-too-large\`.
- A label that a destination’s \`reqMode\` cannot honour has no effect, with the warning \`label-not-honoured\`; where it restricts access,
  nothing is relayed to the destination.
- Durations of 0 mean no limit where the table states it, and are refused elsewhere.
- Booleans are \`1 t T true TRUE True 0 f F false FALSE False\`. Anything else is an error.
- An empty value is the same as no label.
- A wrong value rejects the definition: the service keeps its last good one, and \`GET /v1/problems\`, Consul, the log and a metric
  name the label. An unknown label is ignored with a warning that names the nearest known one.
- **Restricts access** marks labels that are never ignored: where one cannot be honoured, its destination responds with 503.`;

const headerLanguage = `## The language of header rules

\`Name value\`, several by comma. Quotes around the whole value delimit it; quotes inside it are data (\`default-src 'self'\`). Commas in
quotes or behind a backslash do not separate; a backslash outside \`'…'\` stands for the character after it. \`%[src]\` is the client’s address,
\`%[dst_port]\` the port it connected to, \`%[env(NAME)]\` a variable of the proxy’s environment (never one that is named like a secret),
\`%%\` a percent sign. A rule may end in \`if { ssl_fc }\` or \`unless { ssl_fc }\`: only over TLS, or only without. Everything else of HAProxy's language
is refused, as are headers that frame the message (\`Content-Length\`, \`Transfer-Encoding\`, \`Connection\`, …).`;

function labelTable(entries: readonly LabelEntry[]): string {
  return table(
    ['label', 'meaning', 'default', 'example'],
    entries.map((entry) => [
      code(`com.df.${entry.name}`),
      [entry.meaning, ...remarks(entry)].join(' '),
      entry.default === undefined ? '–' : entry.default,
      code(entry.example),
    ]),
  );
}

function remarks(entry: LabelEntry): readonly string[] {
  return [
    ...(entry.restricts !== undefined ? ['**Restricts access.**'] : []),
    ...(entry.aliases ?? []).map((alias) => `(${code(alias)} is a deprecated name.)`),
  ];
}

function otherRows(): readonly (readonly string[])[] {
  return otherLabels.flatMap(({ name, kind }) => {
    switch (kind.kind) {
      case 'deprecated':
        return [[code(`com.df.${name}`), 'works, with a warning', code(kind.replacement)]];
      case 'ignored':
        return [[code(`com.df.${name}`), 'ignored, with a warning', kind.why]];
      case 'refused':
        return [[code(`com.df.${name}`), 'refused: the definition is rejected', kind.replacement]];
      default:
        return [];
    }
  });
}
