import type { EjectedMessage } from './messages.ts';

/** Ejections in force, for workers that start: they get the ejections of the other workers. */
export class SharedEjections {
  readonly #now: () => number;
  readonly #until = new Map<string, { readonly untilMs: number; readonly ejections: number }>();

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  add({ endpointId, forMs, ejections }: EjectedMessage): void {
    const nowMs = this.#now();
    for (const [id, { untilMs }] of this.#until) if (untilMs <= nowMs) this.#until.delete(id);
    this.#until.set(endpointId, { untilMs: nowMs + forMs, ejections });
  }

  inForce(): readonly EjectedMessage[] {
    const nowMs = this.#now();
    return [...this.#until]
      .filter(([, { untilMs }]) => untilMs > nowMs)
      .map(([endpointId, { untilMs, ejections }]) => ({
        kind: 'ejected',
        endpointId,
        forMs: untilMs - nowMs,
        ejections,
      }));
  }
}
