/** What every command ends with. */
export const exitCodes = {
  done: 0,
  /** Refused by the proxy, or problems were found. */
  refused: 1,
  /** Wrong usage, or nobody answers. */
  unusable: 2,
} as const;
