/** What a fault in a callback costs: one exchange, one connection, or one task, never the process. */
export interface FaultOwner {
  /** An error that a callback threw. Never throws. */
  onFault(error: unknown): void;
}

/**
 * Wraps a callback that the event loop calls, so that an error in it reaches its owner instead of ending the process.
 * Every callback of a socket, a timer or a stream on the request path enters through it.
 */
export function guard<A>(owner: FaultOwner, callback: (argument: A) => void): (argument: A) => void {
  return (argument) => {
    try {
      callback(argument);
    } catch (error) {
      owner.onFault(error);
    }
  };
}
