import { type ServiceKey, serviceKey } from '@swarmgate/labels';
import type { PublishOptions, PublishReport, ServiceChange } from '../registry.ts';
import type { JournalContext } from './journal-context.ts';
import { Publication, writePublications } from './write-publications.ts';

/** A publication of more changes than this is written by itself: it fills transactions alone, and takes its time. */
export const mostQueuedChanges = 16;
/** Changes in one batch: what fits into one transaction with one history entry for each. */
const mostBatchedChanges = 30;

/**
 * Groups publications that come at the same time into common transactions: while one is under way all others wait, and
 * the next takes as many of them as fit. Of one service only one is in a batch, and the order of its publications stays.
 */
export class PublishQueue {
  readonly #context: JournalContext;
  #waiting: Publication[] = [];
  #isWriting = false;

  constructor(context: JournalContext) {
    this.#context = context;
  }

  /** @throws RegistryError as `Registry.publish`, and the signal's reason */
  publish(changes: readonly ServiceChange[], options: PublishOptions): Promise<PublishReport> {
    options.signal.throwIfAborted();
    const publication = new Publication(changes, options);
    if (changes.length > mostQueuedChanges) {
      void writePublications(this.#context, [publication]);
    } else {
      this.#waiting.push(publication);
      if (!this.#isWriting) void this.#write();
    }
    return publication.settled();
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    // Publications of the same turn of the event loop go into the first batch together.
    await Promise.resolve();
    while (this.#waiting.length > 0) await writePublications(this.#context, this.#takeBatch());
    this.#isWriting = false;
  }

  #takeBatch(): readonly Publication[] {
    const batch: Publication[] = [];
    const left: Publication[] = [];
    // Services of the batch, and of those that have to wait: nothing of the same service may overtake them.
    const services = new Set<ServiceKey>();
    let changes = 0;
    for (const publication of this.#waiting) {
      if (publication.isSettled) continue;
      const [first] = batch;
      const fits =
        (first === undefined || first.hasFenceOf(publication)) &&
        (first === undefined || changes + publication.changes.length <= mostBatchedChanges) &&
        !publication.changes.some((change) => services.has(serviceKey(change)));
      (fits ? batch : left).push(publication);
      for (const change of publication.changes) services.add(serviceKey(change));
      if (fits) changes += publication.changes.length;
    }
    this.#waiting = left;
    return batch;
  }
}
