/** Secrets as given, kept apart from the definition until they are sealed. */
export interface PlainSecrets {
  /** By user name. */
  readonly passwords: ReadonlyMap<string, string>;
  /** `serviceCert`: certificate and private key in PEM. */
  readonly certificate?: string;
}
