import { createHash } from 'node:crypto';
import type { RateLimit, RateLimitKey, ServiceKey } from '@swarmgate/registry';
import ipaddr from 'ipaddr.js';
import type { Exchange } from '../../model/exchange.ts';
import { proceed, refuse } from '../local-responses.ts';
import type { Decision, Middleware } from '../middleware.ts';
import type { Count } from './count.ts';
import type { Limiters } from './limiters.ts';

/** `rateLimit` with `rateLimitKey`: counted for the whole service; too many get 429 and Retry-After in seconds. */
export function rateLimit(
  service: ServiceKey,
  limit: RateLimit,
  by: RateLimitKey,
  limiters: Pick<Limiters, 'count'>,
): Middleware {
  return {
    name: 'rateLimit',
    async onRequest(exchange): Promise<Decision> {
      return decisionOf(await limiters.count(limit, `${service}:${keyOf(exchange, by)}`));
    },
  };
}

function decisionOf(count: Count): Decision {
  if (count.ok) return proceed;
  return refuse('rate-limited', ['Retry-After', String(Math.ceil(count.retryAfterMs / 1000))]);
}

/** Without the header the address counts, so leaving it out buys nothing. */
function keyOf({ client, request }: Exchange, by: RateLimitKey): string {
  if (by.kind === 'ip') return networkOf(client.address);
  const value = request.get(by.name);
  // A digest is short whatever the client sends, and the header may be a credential.
  return value === undefined
    ? networkOf(client.address)
    : `h:${createHash('sha256').update(value).digest('base64url').slice(0, 22)}`;
}

/** An IPv6 client has a whole /64 to itself, so that is what is counted. */
export function networkOf(address: string): string {
  if (!address.includes(':') || !ipaddr.IPv6.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return `${(parsed as ipaddr.IPv6).parts.slice(0, 4).join('.')}/64`;
}
