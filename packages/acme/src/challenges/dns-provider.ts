import { SwarmgateError } from '@swarmgate/runtime';

/** One TXT record of dns-01. */
export interface TxtRecord {
  /** `_acme-challenge.example.com`, without the final dot. */
  readonly name: string;
  readonly value: string;
}

/** Writes TXT records into zones. Several values of one name stand beside each other. */
export interface DnsProvider {
  /** For people: `RFC 2136 at ns1.example.com`. Holds no credential. */
  readonly description: string;
  /** @throws DnsProviderError */
  present(record: TxtRecord, signal: AbortSignal): Promise<void>;
  /** @throws DnsProviderError */
  cleanup(record: TxtRecord, signal: AbortSignal): Promise<void>;
  /** Servers that are authoritative for a record, `address` or `address:port`; absent where only DNS has them. */
  readonly servers?: readonly string[];
}

/** The record could not be written or removed: the credentials, the zone or the provider are at fault, not the CA. */
export class DnsProviderError extends SwarmgateError {
  static of(message: string, cause?: unknown): DnsProviderError {
    return new DnsProviderError('dns-provider', message, cause === undefined ? undefined : { cause });
  }
}

/** The DNS did not respond to a question whose response decides where a record is written, or who serves it. */
export class DnsLookupError extends SwarmgateError {
  static of(message: string, cause?: unknown): DnsLookupError {
    return new DnsLookupError('dns-lookup', message, cause === undefined ? undefined : { cause });
  }
}

/** An error of DNS that ends an order; its code is the type of the name's problem. */
export function isDnsError(error: unknown): error is DnsProviderError | DnsLookupError {
  return error instanceof DnsProviderError || error instanceof DnsLookupError;
}
