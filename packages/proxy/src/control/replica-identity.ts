import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** Part of a key: host name and admin port, which no two proxies of one host share. */
export function replicaName(env: Readonly<Record<string, string | undefined>>, port: number): string {
  const host = (env.HOSTNAME ?? hostname()).replace(/[^A-Za-z0-9._-]/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return `${host === '' ? 'proxy' : host}-${port}`;
}

export function readVersion(): string {
  const json: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof json === 'object' && json !== null && 'version' in json ? String(json.version) : 'unknown';
}
