/** What a client's certificate states. */
export interface ClientCertificate {
  /** DER in base64. */
  readonly base64: string;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** In decimal. */
  readonly serialNumber: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** DNS names, then mail addresses, IP addresses and URIs. */
  readonly alternativeNames: readonly string[];
}

/** Values of the attributes of a name (RFC 4519), in their order. */
export interface DistinguishedName {
  readonly domainComponent: readonly string[];
  readonly country: readonly string[];
  readonly province: readonly string[];
  readonly locality: readonly string[];
  readonly organization: readonly string[];
  readonly organizationalUnit: readonly string[];
  readonly serialNumber: readonly string[];
  readonly commonName: readonly string[];
}
