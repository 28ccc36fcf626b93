/** Exit codes of every command. */
export const exitCodes = {
  done: 0,
  /** Refused by the proxy, or problems were found. */
  refused: 1,
  /** Wrong usage, or unreachable. */
  unusable: 2,
} as const;
