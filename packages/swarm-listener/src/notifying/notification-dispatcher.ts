import type { SwarmView } from '../swarm/swarm-view.ts';
import { type NotificationTarget, selectTargets } from './notification-targets.ts';
import type { Notifier } from './notifier.ts';
import {
  decideNotifications,
  type Notified,
  type NotifyOptions,
  nothingNotified,
  type PendingNotification,
} from './notify-changes.ts';

export interface DispatcherTargets {
  readonly createService: readonly NotificationTarget[];
  readonly removeService: readonly NotificationTarget[];
  readonly createNode: readonly NotificationTarget[];
  readonly removeNode: readonly NotificationTarget[];
}

/** Notifies other tools of what changed since the last time. Only the leader does, so that each change is sent once. */
export interface NotificationDispatcher {
  readonly see: (view: SwarmView) => void;
  readonly setLeading: (isLeading: boolean) => void;
  /** Sends everything again, as after a start. */
  readonly notifyAll: () => void;
}

export function createNotificationDispatcher(
  notifier: Notifier,
  targets: DispatcherTargets,
  options: NotifyOptions,
): NotificationDispatcher {
  const hasNoTarget = Object.values(targets).every((list) => list.length === 0);
  let view: SwarmView | undefined;
  let notified: Notified = nothingNotified;
  let isLeading = false;

  function dispatch(): void {
    if (hasNoTarget || view === undefined || !isLeading) return;
    const decided = decideNotifications(view, notified, options);
    notified = decided.notified;
    for (const each of decided.pending) {
      notifier.notify({
        subject: `${each.of} ${each.id}`,
        kind: each.kind,
        parameters: each.parameters,
        targets: selectTargets(targetsFor(each), each.names),
      });
    }
  }

  function targetsFor({ of, kind }: PendingNotification): readonly NotificationTarget[] {
    if (of === 'service') return kind === 'create' ? targets.createService : targets.removeService;
    return kind === 'create' ? targets.createNode : targets.removeNode;
  }

  return {
    see(next) {
      view = next;
      dispatch();
    },
    setLeading(next) {
      isLeading = next;
      // A new leader cannot know what the previous one sent, so it sends everything, as after a start.
      if (!next) notified = nothingNotified;
      dispatch();
    },
    notifyAll() {
      notified = nothingNotified;
      dispatch();
    },
  };
}
