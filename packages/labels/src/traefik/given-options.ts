/** One option as its label gives it. */
export interface GivenOption {
  /** The whole label: `traefik.http.routers.web.rule`. */
  readonly label: string;
  readonly value: string;
}

/** Options of one router, service or middleware by their key in lower case: `tls.certresolver`. */
export type GivenOptions = ReadonlyMap<string, GivenOption>;
