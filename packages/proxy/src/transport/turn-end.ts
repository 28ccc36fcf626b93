import type { FaultOwner } from '@swarmgate/runtime';

/** Has something to write when what this turn of the event loop brought has been acted upon. */
export interface TurnWriter extends FaultOwner {
  /** Called once for each `writeAtTurnEnd`. */
  onTurnEnd(): void;
}

// Their places are written again: emptying an array gives its memory away.
let writers: (TurnWriter | undefined)[] = [];
let others: (TurnWriter | undefined)[] = [];
let count = 0;

/**
 * Writes of one turn leave together, behind all that was read in it. A process at the other end that sleeps is then woken
 * once for all of them: between single writes it would have time to fall asleep again, and waking it costs more than the
 * write does.
 */
export function writeAtTurnEnd(writer: TurnWriter): void {
  if (count === 0) setImmediate(endTurn);
  writers[count++] = writer;
}

function endTurn(): void {
  const due = writers;
  const dueCount = count;
  // What a write brings about is written in the next turn.
  writers = others;
  count = 0;
  others = due;
  for (let at = 0; at < dueCount; at++) {
    const writer = due[at] as TurnWriter;
    due[at] = undefined;
    try {
      writer.onTurnEnd();
    } catch (error) {
      writer.onFault(error);
    }
  }
  if (due.length > mostKept) others = [];
}

/** More connections than usually write in one turn: beyond it the memory is given back. */
const mostKept = 4_096;
