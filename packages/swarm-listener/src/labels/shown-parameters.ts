import { findLabel, labelNames, nearestName } from '@swarmgate/labels';

/** Labels whose values may be credentials of a service: headers that requests must have, or that they get. */
const credentialLabels = new Set(['serviceHeader', 'addReqHeader', 'setReqHeader']);

/** Parameters as get-services, which needs no token, returns them: values that may be credentials are `(secret)`. Pure. */
export function shownParameters(parameters: Readonly<Record<string, string>>): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const [name, value] of Object.entries(parameters)) {
    shown[name] = isCredential(name.replace(/\.\d+$/, ''), value) ? '(secret)' : value;
  }
  return shown;
}

function isCredential(name: string, value: string): boolean {
  // A misspelt `users` holds what `users` does.
  const known = findLabel(name) ?? findLabel(nearestName(name, labelNames()) ?? '');
  if (known === undefined || known.scope === 'other') return false;
  const { entry } = known;
  return entry.secret === true || credentialLabels.has(entry.name) || entry.holdsCredential?.(value) === true;
}
