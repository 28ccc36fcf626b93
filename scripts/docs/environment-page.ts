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
timeouts are in seconds; names that end in \`_MS\` are in milliseconds.`;

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
