import type { SwarmView } from '../swarm/swarm-view.ts';
import { type NotificationTarget, selectTargets } from './notification-targets.ts';
import type { Notifier } from './notifier.ts';
import { decideNotifications, type NotifyOptions, nothingTold, type Told, type ToTell } from './notify-changes.ts';

export interface TellerTargets {
  readonly createService: readonly NotificationTarget[];
  readonly removeService: readonly NotificationTarget[];
  readonly createNode: readonly NotificationTarget[];
  readonly removeNode: readonly NotificationTarget[];
}

/** Tells other tools what changed since the last time. Only the leader tells, or they would hear everything twice. */
export interface Teller {
  see(view: SwarmView): void;
  setLeading(isLeading: boolean): void;
  /** Everything again, as after a start. */
  tellAll(): void;
}

export function createTeller(notifier: Notifier, targets: TellerTargets, options: NotifyOptions): Teller {
  const isDeaf = Object.values(targets).every((list) => list.length === 0);
  let view: SwarmView | undefined;
  let told: Told = nothingTold;
  let isLeading = false;

  function tell(): void {
    if (isDeaf || view === undefined || !isLeading) return;
    const decided = decideNotifications(view, told, options);
    told = decided.told;
    for (const each of decided.tell) {
      notifier.notify({
        subject: `${each.of} ${each.id}`,
        kind: each.kind,
        parameters: each.parameters,
        targets: selectTargets(targetsFor(each), each.names),
      });
    }
  }

  function targetsFor({ of, kind }: ToTell): readonly NotificationTarget[] {
    if (of === 'service') return kind === 'create' ? targets.createService : targets.removeService;
    return kind === 'create' ? targets.createNode : targets.removeNode;
  }

  return {
    see(next) {
      view = next;
      tell();
    },
    setLeading(next) {
      isLeading = next;
      // A new leader does not know what the one before it told: it tells everything, as after a start.
      if (!next) told = nothingTold;
      tell();
    },
    tellAll() {
      told = nothingTold;
      tell();
    },
  };
}
