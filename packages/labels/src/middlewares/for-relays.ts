/** Whether a middleware can be honoured for connections, whose bytes are not read. Takes what a document holds. */
export function isForRelays(use: unknown): boolean {
  const { kind, depth, excludedIps } = use as {
    readonly kind?: unknown;
    readonly depth?: unknown;
    readonly excludedIps?: readonly unknown[];
  };
  if (kind === 'inFlightConn') return true;
  // A connection has no X-Forwarded-For.
  return kind === 'ipAllowList' && (depth ?? 0) === 0 && (excludedIps ?? []).length === 0;
}
