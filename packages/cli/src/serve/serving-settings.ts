import { defaultLabelFaults } from '@swarmgate/labels';
import { openSettings, type Role, type Settings, UsageError } from '@swarmgate/runtime';

/**
 * The settings of a long-running process, with the values of `DEFAULT_<LABEL>` looked at: one that no label takes would reject
 * every service. @throws UsageError `settings-invalid`
 */
export function servingSettings(role: Role, env: Readonly<Record<string, string | undefined>>): Settings {
  const settings = openSettings(role, { env });
  const faults = defaultLabelFaults(settings.defaultLabels, settings.separator);
  if (faults.length > 0) throw new UsageError('settings-invalid', `wrong settings:\n  ${faults.join('\n  ')}`);
  return settings;
}
