import { createHash } from 'node:crypto';
import type { CountedBy } from '@swarmgate/labels';
import { plainAddress } from '@swarmgate/runtime';
import { type AddressList, addressList } from '../../http/address-list.ts';
import type { Exchange } from '../../model/exchange.ts';
import { networkOf } from './rate-limit.ts';

export interface SourceOptions {
  readonly depth?: number | undefined;
  readonly excludedIps?: readonly string[] | undefined;
}

/**
 * The address that a middleware takes for the client. Without options the client as `TRUSTED_PROXIES` has it. With `depth` or
 * `excludedIps` an entry of the X-Forwarded-For that a trusted hop sent, from the right; `undefined` where there is none: what
 * an untrusted client sends names no address.
 */
export type SourceAddress = (exchange: Exchange) => string | undefined;

export function sourceAddress({ depth = 0, excludedIps = [] }: SourceOptions): SourceAddress {
  if (depth > 0) return (exchange) => sentAddresses(exchange).at(-depth);
  if (excludedIps.length === 0) return ({ client }) => client.address;
  const isExcluded: AddressList = addressList(excludedIps);
  return (exchange) => sentAddresses(exchange).findLast((address) => !isExcluded(address));
}

/** Entries of X-Forwarded-For as the hop sent it: without the last one, which the proxy has added. */
function sentAddresses({ client, request }: Exchange): readonly string[] {
  if (!client.trustedHop) return [];
  const entries = request.all('x-forwarded-for').flatMap((value) => value.split(','));
  return entries.slice(0, -1).map((entry) => plainAddress(entry.trim()));
}

/** What a request counts as. Without the header its address counts, so leaving it out buys nothing. */
export function countKey(by: CountedBy, source: SourceAddress): (exchange: Exchange) => string {
  const byAddress = (exchange: Exchange) => networkOf(source(exchange) ?? 'unknown');
  if (by.kind === 'ip') return byAddress;
  if (by.kind === 'host') return ({ host }) => host;
  const { name } = by;
  return (exchange) => {
    const value = exchange.request.get(name);
    // A digest is short whatever the client sends, and the header may be a credential.
    return value === undefined
      ? byAddress(exchange)
      : `h:${createHash('sha256').update(value).digest('base64url').slice(0, 22)}`;
  };
}
