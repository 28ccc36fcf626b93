/** A URL that is called on changes, and the method. */
export interface NotificationTarget {
  readonly url: string;
  readonly method: string;
}

/** `DF_NOTIFY_*_URL` and `DF_NOTIFY_*_METHOD`, matched by position; the last method also serves all further URLs. */
export function targetsOf(urls: readonly string[], methods: readonly string[]): readonly NotificationTarget[] {
  return urls.map((url, position) => ({ url, method: (methods[position] ?? methods.at(-1) ?? 'GET').toUpperCase() }));
}

/**
 * The targets that are notified of one service. `names` are those of `com.df.notifyService`: a position from 1, or the name of the
 * service that the URL leads to (its host, with or without the stack in front). `undefined`: all.
 */
export function selectTargets(
  targets: readonly NotificationTarget[],
  names: readonly string[] | undefined,
): readonly NotificationTarget[] {
  if (names === undefined) return targets;
  return targets.filter(({ url }, position) => {
    const host = URL.canParse(url) ? new URL(url).hostname : '';
    return names.some((name) => name === String(position + 1) || name === host || host.endsWith(`_${name}`));
  });
}

/** Appends the parameters in name order to those that the URL has already. */
export function urlWith(url: string, parameters: Readonly<Record<string, string>>): string {
  const called = new URL(url);
  for (const name of Object.keys(parameters).toSorted()) called.searchParams.set(name, parameters[name] ?? '');
  return called.href;
}
