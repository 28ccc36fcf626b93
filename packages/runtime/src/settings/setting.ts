import type { Parser } from './parsers.ts';

export type Role = 'proxy' | 'listener' | 'standalone' | 'cli';

export interface Setting<T> {
  /** Environment variables; the first that is set wins, and the docs name the first. */
  readonly env: readonly [string, ...string[]];
  readonly parse: Parser<T>;
  /** The value where the environment sets none, written as in the environment. `undefined`: not set. */
  readonly default: string | undefined;
  /** Other defaults for some roles. */
  readonly defaultFor?: Readonly<Partial<Record<Role, string>>>;
  /** Never logged, never shown. */
  readonly secret?: true;
  readonly usedBy: readonly Role[];
  /** What the value is a path of. `openSettings` checks that it exists and is usable. */
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
