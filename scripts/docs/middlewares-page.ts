import {
  destinationLabels,
  type MiddlewareKind,
  type MiddlewareOption,
  middlewareKinds,
  serviceLabels,
} from '@swarmgate/labels';
import { code, generatedNote, table } from './markdown.ts';

/** docs/middlewares.md: every kind of middleware with its options. */
export function middlewaresPage(): string {
  const kinds = (Object.values(middlewareKinds) as unknown as readonly MiddlewareKind[]).filter(isServed);
  return `${[
    '# Middlewares',
    generatedNote('packages/labels/src/middlewares'),
    intro,
    table(
      ['middleware', 'what it does', 'label'],
      kinds.map(({ kind, meaning, insteadOfLabel }) => [
        `[${code(kind)}](#${kind.toLowerCase()})`,
        meaning,
        insteadOfLabel === undefined ? code(`com.df.${kind}`) : `in ${code('com.df.middlewares')}`,
      ]),
    ),
    ...kinds.map(sectionOf),
  ].join('\n\n')}\n`;
}

/** A kind that no label can name yet is not documented. */
function isServed({ kind, insteadOfLabel }: MiddlewareKind): boolean {
  return kind in destinationLabels || (insteadOfLabel !== undefined && insteadOfLabel in serviceLabels);
}

const intro = `A middleware changes, responds or refuses requests of one destination before they are forwarded, and its responses on the way
back. It works alike on HTTP/1.1, HTTP/2 and upgrades, with both routers.

Every middleware has a label of its own, whose value is its options:

\`\`\`yaml
- com.df.stripPrefix=/api,/v1
- com.df.forwardAuth=http://authelia:9091,preset=authelia
- com.df.headers=frameDeny=true,response.X-Served-By="one, two"
\`\`\`

Options are separated by commas (\`SEPARATOR\`), \`name=value\`. The main option of a middleware needs no name. A value with a comma stands
in quotes, or has a backslash before the comma; commas inside closed brackets do not separate. An option that is a list takes several
values by blank, or is given several times. Times are \`500ms\`, \`10s\`, \`1m\` or seconds; sizes \`65536\`, \`64KB\`, \`1MB\`. In a stack file
Compose takes \`$\` for a variable: write \`$$1\` for \`$1\`.

**Order.** Requests pass, in this order: \`allowedAddresses\`, \`rateLimit\`, redirects to https, \`verifyClientSsl\`, methods, \`denyHttp\`; the
middlewares of single labels in the order of the table below; those of \`com.df.middlewares\` in the order in which they are written;
request headers by label, \`reqPathSearchReplace\`, \`users\`. On the way back the last middleware of a request is the first of the
response. \`com.df.middlewares\` takes any number of any kind:

\`\`\`yaml
- com.df.middlewares=ipAllowList(10.0.0.0/8),stripPrefix(/api),addPrefix(/v2)
\`\`\`

A middleware that cannot be used closes its destination: 503 \`unsupported-feature\`, and the problem \`middleware-unsupported\` of the
service. A proxy of an older version, 0.2.0 at the least, responds with 503 for destinations with \`com.df.middlewares\` or with a label that restricts.`;

function sectionOf({ kind, meaning, example, restricts, positional, options, insteadOfLabel }: MiddlewareKind): string {
  const rows = Object.entries(options).map(([field, option]: [string, MiddlewareOption]) => {
    const name = (option.name ?? field) + (option.keyed === true ? '.NAME' : '');
    const notes = [
      ...(option.required === true ? ['Needed.'] : []),
      ...(positional === field ? ['May be given without its name.'] : []),
    ];
    return [code(name), [option.meaning, ...notes].join(' '), option.default ?? '–'];
  });
  const written = insteadOfLabel === undefined ? `com.df.${kind}=${example}` : `com.df.middlewares=${kind}(${example})`;
  return [
    `## ${kind}`,
    `${meaning}${restricts === undefined ? '' : ' **Restricts access.**'}`,
    `\`\`\`\n${written}\n\`\`\``,
    // Docker interpolates a stack file.
    ...(written.includes('$') ? [`In a stack file:\n\n\`\`\`yaml\n- ${written.replaceAll('$', '$$$$')}\n\`\`\``] : []),
    table(['option', 'meaning', 'default'], rows),
  ].join('\n\n');
}
