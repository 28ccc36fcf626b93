import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../errors.ts';
import { settingsCatalogue } from './catalogue.ts';
import type { Role, Setting } from './setting.ts';

type Catalogue = typeof settingsCatalogue;
type ValueOf<S> = S extends { readonly parse: (text: string) => infer P; readonly default: infer D }
  ? (P extends { readonly ok: true; readonly value: infer V } ? V : never) | (D extends string ? never : undefined)
  : never;

/** Every setting, parsed. Durations are in milliseconds and say so in their names. */
export type Settings = { readonly [K in keyof Catalogue]: ValueOf<Catalogue[K]> };

export interface SettingsSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where Docker mounts secrets. Default `/run/secrets`. */
  readonly secretsDir?: string;
}

/**
 * Reads every setting for one role: the environment first, then `<NAME>_FILE`, then the secret file `dfp_<lower>`
 * (Docker Flow's convention; `df_…` names keep their own), then the default.
 * @throws UsageError `settings-invalid` naming every wrong variable, its value and what is allowed, all at once.
 */
export function readSettings(role: Role, source: SettingsSource): Settings {
  const values: Record<string, unknown> = {};
  const wrong: string[] = [];
  for (const [name, entry] of Object.entries(settingsCatalogue)) {
    const setting = entry as Setting<unknown>;
    const given = findGiven(setting, source);
    if (given.kind === 'unreadable') {
      wrong.push(given.problem);
      continue;
    }
    const text = given.kind === 'given' ? given.text : (setting.defaultFor?.[role] ?? setting.default);
    if (text === undefined) {
      values[name] = undefined;
      continue;
    }
    const parsed = setting.parse(text);
    if (parsed.ok) values[name] = parsed.value;
    else {
      const shown = setting.secret ? '(secret)' : JSON.stringify(text);
      wrong.push(`${given.kind === 'given' ? given.from : setting.env[0]}=${shown}: expected ${parsed.expected}`);
    }
  }
  if (wrong.length > 0) throw new UsageError('settings-invalid', `wrong settings:\n  ${wrong.join('\n  ')}`);
  return values as unknown as Settings;
}

type Given =
  | { readonly kind: 'absent' }
  | { readonly kind: 'given'; readonly text: string; readonly from: string }
  | { readonly kind: 'unreadable'; readonly problem: string };

function findGiven(setting: Setting<unknown>, source: SettingsSource): Given {
  for (const name of setting.env) {
    const direct = source.env[name];
    // An empty variable counts as not set: stack files write `NAME=${NAME:-}`.
    if (direct !== undefined && direct !== '') return { kind: 'given', text: direct, from: name };
    const file = source.env[`${name}_FILE`];
    if (file !== undefined && file !== '') {
      try {
        return { kind: 'given', text: readFileSync(file, 'utf8').trim(), from: `${name}_FILE` };
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return { kind: 'unreadable', problem: `${name}_FILE=${JSON.stringify(file)}: cannot be read (${reason})` };
      }
    }
    const lower = name.toLowerCase();
    for (const secretName of [`dfp_${lower}`, ...(lower.startsWith('df_') ? [lower] : [])]) {
      const secret = join(source.secretsDir ?? '/run/secrets', secretName);
      try {
        return { kind: 'given', text: readFileSync(secret, 'utf8').trim(), from: secret };
      } catch {
        // No such secret: the next place decides.
      }
    }
  }
  return { kind: 'absent' };
}
