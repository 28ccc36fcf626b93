/** What a fault in a callback costs: one exchange, one connection, or one task, never the process. */
export interface FaultOwner {
  /** An error that a callback threw. Never throws. */
  onFault(error: unknown): void;
}

/**
 * Wraps a callback that the event loop calls, so that an error in it reaches its owner instead of ending the process.
 * Every callback of a socket, a timer, a stream or a server enters through it; `test/architecture/callbacks.ts` lists the
 * few that need none. Made once for each connection or task, never for each request: a call allocates nothing.
 * @returns what the callback returns; `undefined` after a fault
 */
export function guard<R>(owner: FaultOwner, callback: () => R): () => R | undefined;
export function guard<A, R>(owner: FaultOwner, callback: (argument: A) => R): (argument: A) => R | undefined;
export function guard<A, B, R>(
  owner: FaultOwner,
  callback: (first: A, second: B) => R,
): (first: A, second: B) => R | undefined;
export function guard<A, B, R>(
  owner: FaultOwner,
  callback: (first: A, second: B) => R,
): (first: A, second: B) => R | undefined {
  return (first, second) => {
    try {
      return callback(first, second);
    } catch (error) {
      owner.onFault(error);
      return undefined;
    }
  };
}

/**
 * A guarded listener for all emitters of a kind, made once: its owner is found by the emitter that calls it. For connections
 * of which there are thousands a second.
 * @param ownerOf `undefined`: the event is passed over
 * @returns what the callback returns; `undefined` after a fault
 */
export function guardOwned<E extends object, O extends FaultOwner, R>(
  ownerOf: (emitter: E) => O | undefined,
  callback: (owner: O) => R,
): (this: E) => R | undefined;
export function guardOwned<E extends object, O extends FaultOwner, A, R>(
  ownerOf: (emitter: E) => O | undefined,
  callback: (owner: O, argument: A) => R,
): (this: E, argument: A) => R | undefined;
export function guardOwned<E extends object, O extends FaultOwner, A, R>(
  ownerOf: (emitter: E) => O | undefined,
  callback: (owner: O, argument: A) => R,
): (this: E, argument: A) => R | undefined {
  return function listener(this: E, argument: A) {
    const owner = ownerOf(this);
    if (owner === undefined) return undefined;
    try {
      return callback(owner, argument);
    } catch (error) {
      owner.onFault(error);
      return undefined;
    }
  };
}

/**
 * As `guard`, for a callback that one event source calls for objects of many owners, such as `connection` of a server: the
 * owner is made of the argument, and only after a fault.
 */
export function guardEach<A>(
  ownerOf: (argument: A) => FaultOwner,
  callback: (argument: A) => void,
): (argument: A) => void {
  return (argument) => {
    try {
      callback(argument);
    } catch (error) {
      ownerOf(argument).onFault(error);
    }
  };
}

/** Guards work that nothing awaits: what it rejects with reaches its owner. */
export function guardPromise(owner: FaultOwner, work: Promise<unknown>): void {
  work.catch((error: unknown) => owner.onFault(error));
}
