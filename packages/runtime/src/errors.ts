/**
 * The root of every error somebody acts on. `code` is stable and machine-readable (kebab-case); the message says what
 * was tried and on what; `cause` keeps the error underneath.
 */
export class SwarmgateError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Settings that cannot be used, or a command line that makes no sense: exit code 2. */
export class UsageError extends SwarmgateError {}

/** The text of whatever was thrown, for a log line or a problem. Never the stack. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
