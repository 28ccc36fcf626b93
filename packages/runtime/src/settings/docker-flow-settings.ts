import type { Logger } from '../logger.ts';
import { isGiven, type SettingsSource } from './read-settings.ts';

/** A setting of Docker Flow Proxy that has no effect here, and what has instead. */
export interface SettingWithoutEffect {
  readonly name: string;
  readonly suggestion: string;
  /** `false`: what it does happens anyway, so nothing is missing. */
  readonly isNeeded?: false;
}

const notNeeded = (why: string) => ({ suggestion: `not needed: ${why}`, isNeeded: false as const });
const logInstead = 'set LOG_LEVEL=debug for the process, ACCESS_LOG for requests';
const statsInstead = 'read /metrics, /v1/status or the console at ADMIN_PORT; ADMIN_TOKEN protects them';

/** https://github.com/docker-flow/docker-flow-proxy/blob/master/docs/config.md */
export const settingsWithoutEffect: readonly SettingWithoutEffect[] = [
  { name: 'CAPTURE_REQUEST_HEADER', suggestion: 'set ACCESS_LOG=json or combined: both have Referer and User-Agent' },
  { name: 'CERTS', suggestion: 'mount certificates as secrets named cert-*, or PUT them by REST' },
  { name: 'CFG_TEMPLATE_PATH', suggestion: 'no haproxy.cfg exists; use labels' },
  { name: 'CHECK_RESOLVERS', ...notNeeded('names are resolved continuously in the background') },
  { name: 'DEBUG', suggestion: logInstead },
  { name: 'DEBUG_ERRORS_ONLY', suggestion: logInstead },
  { name: 'DEBUG_HTTP_FORMAT', suggestion: 'set ACCESS_LOG=json, combined or common' },
  { name: 'DEBUG_TCP_FORMAT', suggestion: 'set ACCESS_LOG=json' },
  { name: 'DEFAULT_REQ_MODE', suggestion: 'set the label reqMode on the services' },
  { name: 'DO_NOT_RESOLVE_ADDR', ...notNeeded('a name that does not resolve stops nothing') },
  { name: 'ENABLE_H2', suggestion: 'set HTTP2' },
  {
    name: 'EXTRA_FRONTEND',
    suggestion: 'no HAProxy reads it; use labels such as addReqHeader, setResHeader, allowedAddresses',
  },
  { name: 'EXTRA_GLOBAL', suggestion: 'no HAProxy reads it; docs/environment.md lists the settings' },
  { name: 'LISTENER_ADDRESS', ...notNeeded('proxies follow the registry (CONSUL_HTTP_ADDR)') },
  { name: 'MODE', ...notNeeded('Swarm is the only mode') },
  { name: 'RECONFIGURE_ATTEMPTS', ...notNeeded('a change by REST is acknowledged once every replica serves it') },
  { name: 'RELOAD_ATTEMPTS', ...notNeeded('routes are swapped in memory') },
  {
    name: 'RELOAD_INTERVAL',
    ...notNeeded('proxies follow the registry; the listener resyncs by RESYNC_INTERVAL_MS'),
  },
  {
    name: 'REPEAT_RELOAD',
    ...notNeeded('proxies follow the registry; the listener resyncs by RESYNC_INTERVAL_MS'),
  },
  { name: 'RESOLVERS', ...notNeeded('the resolver of the container is used') },
  { name: 'SERVICE_NAME', ...notNeeded('replicas find each other in the registry') },
  { name: 'SKIP_ADDRESS_VALIDATION', ...notNeeded('a name that does not resolve stops nothing') },
  { name: 'SSL_BIND_CIPHERS', suggestion: 'no HAProxy reads it; TLS 1.2 and 1.3 with the ciphers of Node' },
  { name: 'SSL_BIND_OPTIONS', suggestion: 'no HAProxy reads it; TLS 1.2 and 1.3 with the ciphers of Node' },
  { name: 'STATS_PASS', suggestion: statsInstead },
  { name: 'STATS_PASS_ENV', suggestion: statsInstead },
  { name: 'STATS_PORT', suggestion: statsInstead },
  { name: 'STATS_URI', suggestion: statsInstead },
  { name: 'STATS_URI_ENV', suggestion: statsInstead },
  { name: 'STATS_USER', suggestion: statsInstead },
  { name: 'STATS_USER_ENV', suggestion: statsInstead },
  { name: 'TERMINATE_ON_RELOAD', ...notNeeded('routes are swapped in memory') },
];

/** Those that are set, by environment, `<NAME>_FILE` or secret, as `readSettings` looks for settings. */
export function findSettingsWithoutEffect(source: SettingsSource): readonly SettingWithoutEffect[] {
  return settingsWithoutEffect.filter(({ name }) => isGiven(name, source));
}

/** One warning for each: what was set, and what has the effect here. */
export function warnOfSettingsWithoutEffect(source: SettingsSource, logger: Logger): void {
  for (const { name, suggestion } of findSettingsWithoutEffect(source)) {
    logger.warn(
      { setting: name, reason: 'setting-without-effect', suggestion },
      'a setting of Docker Flow has no effect here',
    );
  }
}
