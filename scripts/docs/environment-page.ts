import { type Role, type Setting, settingsCatalogue } from '@swarmgate/runtime';
import { code, generatedNote, table } from './markdown.ts';

/** docs/environment.md: every setting with its default, for which process, and its meaning. */
export function environmentPage(): string {
  const settings = Object.values(settingsCatalogue) as Setting<unknown>[];
  return `${[
    '# Environment',
    generatedNote('packages/runtime/src/settings/catalogue.ts'),
    intro,
    table(['name', 'default', 'used by', 'meaning'], settings.map(row)),
    '`DFP_SERVICE[_N]_<LABEL>[_i]` defines services of the proxy itself: `DFP_SERVICE_1_SERVICE_NAME`, `DFP_SERVICE_1_SERVICE_PATH`, `DFP_SERVICE_1_PORT`, … See [labels](labels.md).',
  ].join('\n\n')}\n`;
}

const intro = `Each setting can also be a file: \`<NAME>_FILE\` names it, or it is the Docker secret \`/run/secrets/dfp_<name in lower case>\`. An empty
variable counts as not set. Wrong values end the process at start, all of them named at once with what is allowed. Docker Flow’s
timeouts are in seconds; names that end in \`_MS\` are in milliseconds.

**\`DEFAULT_<LABEL>\`** sets a label for every service that does not set it itself: \`DEFAULT_FORWARD_AUTH=http://authelia:9091,preset=authelia\`,
\`DEFAULT_CHECK_PATH=/health\`. The name is the label's in \`UPPER_SNAKE\`. A service does without by \`com.df.forwardAuth=none\`, a single
destination by \`com.df.forwardAuth.2=none\`. The listener reads it for Swarm services, the proxy for \`reconfigure\` and \`DFP_SERVICE_*\`;
give both the same, and \`swarmgate check\` and \`diff\` too. A value that the label does not take, or a name that is nearly a label's,
is an error at the start.

What holds for every router of one of Traefik’s entrypoints, as in Traefik’s own flags: **\`TRAEFIK_<ENTRYPOINT>_MIDDLEWARES\`** (\`auth@file,rate\`, before
the router’s own; a name that is not defined closes the routers), **\`_REDIRECT\`** (to an entrypoint with TLS: \`websecure\`, or
\`websecure,temporary\`; routers that are at the target redirect at this entrypoint), **\`_TLS\`** (\`true\` or the name of a resolver: routers without \`tls\` have
it there; \`le,options=mtls\` closes them, because TLS options are not read), **\`_AS_DEFAULT\`** (\`true\`: routers that name no
entrypoint are at those with it alone), **\`_CLOSED\`** (a reason: its routers respond with 503). \`TRAEFIK_WEB_REDIRECT=websecure\` is of
the entrypoint \`web\`; in the name everything but letters and digits is \`_\`. An entrypoint that is not known is an error at the start.`;

function row(setting: Setting<unknown>): readonly string[] {
  const [name, ...others] = setting.env;
  const also = others.map((other) => ` (or ${code(other)})`).join('');
  const secret = setting.secret === true ? ' Never logged, never shown.' : '';
  return [`${code(name)}${also}`, defaults(setting), roles(setting.usedBy), `${setting.meaning}.${secret}`];
}

function defaults(setting: Setting<unknown>): string {
  const usual = setting.default === undefined || setting.default === '' ? 'none' : code(setting.default);
  const others = Object.entries(setting.defaultFor ?? {}).map(([role, value]) => `${role}: ${code(value)}`);
  return [usual, ...others].join('; ');
}

function roles(usedBy: readonly Role[]): string {
  const every: readonly Role[] = ['proxy', 'listener', 'standalone', 'cli'];
  return every.every((role) => usedBy.includes(role)) ? 'all' : usedBy.join(', ');
}
