import { createRepeatedLines, type Logger, messageOf, pause, type Running } from '@swarmgate/runtime';
import fetch from 'node-fetch';
import { type NotificationTarget, urlWith } from './notification-targets.ts';

/** One call to make at each target. */
export interface Notification {
  /** `service ID` or `node ID`: a newer notification of the same subject cancels one that is still being retried. */
  readonly subject: string;
  readonly kind: 'create' | 'remove';
  readonly targets: readonly NotificationTarget[];
  readonly parameters: Readonly<Record<string, string>>;
}

export interface Notifier extends Running {
  /** Returns at once. */
  notify(notification: Notification): void;
  counts(): { readonly delivered: number; readonly failed: number; readonly tries: number; readonly pending: number };
}

export interface NotifierOptions {
  /** Number of retries of a failed call: `DF_RETRY`. */
  readonly retries: number;
  readonly retryIntervalMs: number;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const responseTimeoutMs = 10_000;

/** Notifies other tools of services and nodes. A slow or failing tool delays nothing else. */
export function createNotifier(options: NotifierOptions): Notifier {
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  const latest = new Map<string, AbortController>();
  const pending = new Set<Promise<void>>();
  const counts = { delivered: 0, failed: 0, tries: 0 };
  // A target that is down fails for every service at once.
  const lines = createRepeatedLines(options.logger);

  async function deliver(notification: Notification, target: NotificationTarget, newer: AbortSignal): Promise<void> {
    const log = { subject: notification.subject, url: shown(target.url), kind: notification.kind };
    let err: Error | undefined;
    for (let attempt = 0; attempt <= options.retries && !newer.aborted; attempt++) {
      if (attempt > 0 && !(await pause(options.retryIntervalMs, newer))) return;
      counts.tries++;
      try {
        const response = await fetch(urlWith(target.url, notification.parameters), {
          method: target.method,
          signal: AbortSignal.any([newer, AbortSignal.timeout(responseTimeoutMs)]),
        });
        // The body is read to its end, so that the connection can be reused.
        await response.arrayBuffer();
        if (response.ok || (notification.kind === 'create' && response.status === 409)) {
          counts.delivered++;
          return;
        }
        err = new Error(`${shown(target.url)} responded with ${response.status}`);
      } catch (error) {
        if (newer.aborted) return;
        err = withoutQuery(error, target.url);
      }
      if (attempt === 0) lines.write('warn', `retry ${log.url}`, { ...log, err }, 'notification failed, retrying');
      else options.logger.debug({ ...log, err, attempt }, 'notification failed again');
    }
    if (newer.aborted) return;
    counts.failed++;
    const fields = { ...log, err, retries: options.retries };
    lines.write('error', `failed ${log.url}`, fields, 'notification failed, no more retries');
  }

  return {
    notify(notification) {
      if (signal.aborted) return;
      for (const target of notification.targets) {
        const key = `${target.method} ${target.url} ${notification.subject}`;
        latest.get(key)?.abort();
        const own = new AbortController();
        latest.set(key, own);
        const delivery = deliver(notification, target, AbortSignal.any([signal, own.signal])).finally(() => {
          pending.delete(delivery);
          if (latest.get(key) === own) latest.delete(key);
        });
        pending.add(delivery);
      }
    },
    counts: () => ({ ...counts, pending: pending.size }),
    async stop() {
      stopping.abort();
      await Promise.all(pending);
      lines.stop();
    },
  };
}

/** Parameters may contain passwords, so only origin and path of a URL are shown. */
function shown(url: string): string {
  return URL.canParse(url) ? `${new URL(url).origin}${new URL(url).pathname}` : '(no URL)';
}

/** The error as an object with its stack; node-fetch puts the URL, and with it the parameters, into both texts. */
function withoutQuery(thrown: unknown, url: string): Error {
  const hide = (text: string) => text.replaceAll(/https?:\/\/\S+/g, shown(url));
  const error = new Error(hide(messageOf(thrown)));
  if (thrown instanceof Error && thrown.stack !== undefined) error.stack = hide(thrown.stack);
  return error;
}
