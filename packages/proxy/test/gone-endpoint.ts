import { Socket } from 'node:net';

/** A connection attempt without any response, as to a machine without power: loopback always responds. */
export function openToNobody(): Socket {
  return new Socket();
}

/** A clock that a test moves, and what looks at it. */
export class MovedClock {
  nowMs = 0;
  readonly now = (): number => this.nowMs;

  /** In steps that no sweep takes for a stall of this process. */
  move(byMs: number, sweep: { tick(): void }, stepMs: number): void {
    const untilMs = this.nowMs + byMs;
    while (this.nowMs < untilMs) {
      this.nowMs += stepMs;
      sweep.tick();
    }
  }
}
