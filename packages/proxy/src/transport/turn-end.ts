import type { FaultOwner } from '@swarmgate/runtime';

/** Has something to write when what this turn of the event loop brought has been acted upon. */
export interface TurnWriter extends FaultOwner {
  /** Called once for each `writeAtTurnEnd`. */
  onTurnEnd(): void;
}

/** Where what is written goes to. */
export type WrittenTo = 'endpoint' | 'client';

/** The writers of one side. Their places are written again: emptying an array gives its memory away. */
class Writers {
  #writers: (TurnWriter | undefined)[] = [];
  #others: (TurnWriter | undefined)[] = [];
  #count = 0;

  add(writer: TurnWriter): void {
    this.#writers[this.#count++] = writer;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** What a write brings about is written in the next turn. */
  take(): { readonly due: (TurnWriter | undefined)[]; readonly count: number } {
    const due = this.#writers;
    const count = this.#count;
    this.#writers = this.#others;
    this.#others = due.length > mostKept ? [] : due;
    this.#count = 0;
    return { due, count };
  }
}

const toEndpoints = new Writers();
const toClients = new Writers();

/**
 * Writes of one turn leave together, behind all that was read in it: those to endpoints first, then those to clients. A
 * process at the other end that sleeps is then woken once for all of them: between single writes it would have time to
 * fall asleep again, and waking it costs more than the write does.
 */
export function writeAtTurnEnd(writer: TurnWriter, to: WrittenTo): void {
  if (toEndpoints.isEmpty && toClients.isEmpty) setImmediate(endTurn);
  (to === 'endpoint' ? toEndpoints : toClients).add(writer);
}

function endTurn(): void {
  const requests = toEndpoints.take();
  const responses = toClients.take();
  write(requests.due, requests.count);
  write(responses.due, responses.count);
}

function write(due: (TurnWriter | undefined)[], count: number): void {
  for (let at = 0; at < count; at++) {
    const writer = due[at] as TurnWriter;
    due[at] = undefined;
    try {
      writer.onTurnEnd();
    } catch (error) {
      writer.onFault(error);
    }
  }
}

/** More connections than usually write in one turn: beyond it the memory is given back. */
const mostKept = 4_096;
