/** A response that the proxy makes itself. It always carries `X-Swarmgate-Reason: <reason>`. */
export interface LocalResponse {
  readonly status: number;
  /** Stable, kebab-case: what the access log, the metric and the header name. */
  readonly reason: string;
  /** Flat name, value, name, value. */
  readonly headers?: readonly string[];
  /** Text in UTF-8. */
  readonly body?: string;
  /** Instead of `body`: bytes that another service made, whose type stands in `headers`. */
  readonly bytes?: Buffer;
}
