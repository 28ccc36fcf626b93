/**
 * The base of every error that a caller acts on. `code` is stable and machine-readable (kebab-case); the message names what
 * was tried and on what; `cause` is the underlying error.
 */
export class SwarmgateError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Invalid settings or command line: exit code 2. */
export class UsageError extends SwarmgateError {}

/** The message of a thrown value, for a problem or a response. A log line takes the error itself, under `err`. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
