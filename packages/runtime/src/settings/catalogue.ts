import { acmeSettings } from './acme-settings.ts';
import { consulUiSettings } from './consul-ui-settings.ts';
import { listenerSettings } from './listener-settings.ts';
import { proxySettings } from './proxy-settings.ts';
import { registrySettings } from './registry-settings.ts';
import { tracingSettings } from './tracing-settings.ts';
import { traefikSettings } from './traefik-settings.ts';

/** Every setting there is. Adding one is one entry in one of these files; docs/environment.md is generated from them. */
export const settingsCatalogue = {
  ...registrySettings,
  ...proxySettings,
  ...consulUiSettings,
  ...acmeSettings,
  ...tracingSettings,
  ...listenerSettings,
  ...traefikSettings,
} as const;
