import type { Parser } from './parsers.ts';

export type Role = 'proxy' | 'listener' | 'standalone' | 'cli';

export interface Setting<T> {
  /** Environment names, the first found wins; the first is the one the docs use. */
  readonly env: readonly [string, ...string[]];
  readonly parse: Parser<T>;
  /** The value where the environment says nothing, as the environment would say it. `undefined`: not set. */
  readonly default: string | undefined;
  /** Other defaults for some roles. */
  readonly defaultFor?: Readonly<Partial<Record<Role, string>>>;
  /** Never logged, never shown. */
  readonly secret?: true;
  readonly usedBy: readonly Role[];
  /** What the value is a path of. `openSettings` looks whether it is there and can be used. */
  readonly pathOf?: 'pem-file' | 'folder';
  readonly meaning: string;
}

export const all = ['proxy', 'listener', 'standalone', 'cli'] as const;
export const serving = ['proxy', 'standalone'] as const;
export const listening = ['listener', 'standalone'] as const;

/** A setting that always has a value. */
export function given<T>(setting: Omit<Setting<T>, 'default'> & { readonly default: string }) {
  return setting;
}

/** A setting that may be absent. */
export function optional<T>(setting: Omit<Setting<T>, 'default'>): Setting<T> & { readonly default: undefined } {
  return { ...setting, default: undefined };
}
