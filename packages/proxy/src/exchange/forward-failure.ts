/** Why forwarding gave up. The names are those of the proxy's own responses; each has its status there. */
export type ForwardFailure =
  | 'no-endpoint'
  | 'stale-endpoint'
  | 'queue-full'
  | 'queue-timeout'
  | 'endpoint-unreachable'
  | 'out-of-descriptors'
  | 'endpoint-answer-invalid'
  | 'connect-timeout'
  | 'head-timeout'
  | 'wrong-protocol'
  | 'upgrade-not-supported';
