import { type Logger, messageOf, pause, type Running } from '@swarmgate/runtime';
import fetch from 'node-fetch';
import { type NotificationTarget, urlWith } from './notification-targets.ts';

/** One call to make at each target. */
export interface Notification {
  /** What it is about: a newer notification with the same subject cancels the one that is still tried. */
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
  /** How often a failed call is tried again: `DF_RETRY`. */
  readonly retries: number;
  readonly retryIntervalMs: number;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const answerTimeoutMs = 10_000;

/** Tells other tools of services and nodes. What they answer, or whether they do, never holds anything else up. */
export function createNotifier(options: NotifierOptions): Notifier {
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  const latest = new Map<string, AbortController>();
  const pending = new Set<Promise<void>>();
  const counts = { delivered: 0, failed: 0, tries: 0 };

  async function deliver(notification: Notification, target: NotificationTarget, newer: AbortSignal): Promise<void> {
    const log = { subject: notification.subject, url: shown(target.url), kind: notification.kind };
    let reason = '';
    for (let attempt = 0; attempt <= options.retries && !newer.aborted; attempt++) {
      if (attempt > 0 && !(await pause(options.retryIntervalMs, newer))) return;
      counts.tries++;
      try {
        const response = await fetch(urlWith(target.url, notification.parameters), {
          method: target.method,
          signal: AbortSignal.any([newer, AbortSignal.timeout(answerTimeoutMs)]),
        });
        // Read to the end, or the connection could not be used again.
        await response.arrayBuffer();
        if (response.ok || (notification.kind === 'create' && response.status === 409)) {
          counts.delivered++;
          return;
        }
        reason = `status ${response.status}`;
      } catch (error) {
        if (newer.aborted) return;
        reason = messageOf(error).replaceAll(/https?:\/\/\S+/g, shown(target.url));
      }
      if (attempt === 0) options.logger.warn({ ...log, reason }, 'a notification failed and is tried again');
    }
    if (newer.aborted) return;
    counts.failed++;
    options.logger.error({ ...log, reason, retries: options.retries }, 'a notification was given up');
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
    },
  };
}

/** Parameters may hold passwords, so only the address of a call is ever shown. */
function shown(url: string): string {
  return URL.canParse(url) ? `${new URL(url).origin}${new URL(url).pathname}` : '(no URL)';
}
