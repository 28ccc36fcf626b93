import { integer } from '../values/plain.ts';
import { middlewareKind, optional, required } from './middleware-kind.ts';
import { countedBy, duration, listOf, network } from './option-values.ts';

/** Middleware that limits who may call, and how often. */

const depth = optional(integer(0, 100), {
  meaning:
    'The address that counts, from the right of the `X-Forwarded-For` that a hop in `TRUSTED_PROXIES` sent; requests by other ways have none. `0`: the client as `TRUSTED_PROXIES` has it.',
  default: '0',
});
const excludedIps = optional(listOf(network), {
  meaning: 'Addresses of `X-Forwarded-For` that are passed over, from the right, to find the client.',
});
const by = optional(countedBy, { meaning: '`ip`, `host` or `header:NAME`: what is counted.', default: 'ip' });

export const rateLimit = middlewareKind({
  kind: 'rateLimit',
  meaning:
    'Requests per time with bursts (a token bucket); more get 429 with `Retry-After`. With `REDIS_URL` counted over all proxies; else in each proxy, and in each of its workers for its share.',
  example: 'average=100,burst=50',
  restricts: 'rate-limit-burst',
  insteadOfLabel: 'rateLimit',
  options: {
    average: required(integer(0, 1_000_000_000), { meaning: 'Requests per `period`; `0`: no limit.' }),
    periodMs: optional(duration(1, 86_400_000), {
      name: 'period',
      meaning: 'Time that `average` holds for.',
      default: '1s',
    }),
    burst: optional(integer(1, 1_000_000_000), { meaning: 'Requests that may come at once.', default: '1' }),
    by,
    depth,
    excludedIps,
  },
});

export const inFlightReq = middlewareKind({
  kind: 'inFlightReq',
  positional: 'amount',
  meaning:
    'Requests that are served at the same time by a proxy, in all of its workers together; more get 429 `in-flight-limited`.',
  example: '10',
  restricts: 'in-flight',
  options: {
    amount: required(integer(1, 1_000_000_000), { meaning: 'Requests at the same time.' }),
    by: optional(countedBy, { meaning: '`ip`, `host` or `header:NAME`: what is counted.', default: 'host' }),
    depth,
    excludedIps,
  },
});

export const inFlightConn = middlewareKind({
  kind: 'inFlightConn',
  positional: 'amount',
  meaning:
    'Connections that one client address has at the same time to a proxy, in all of its workers together; more are reset. For `tcp`, `sni` and `tls` services alone: requests with it get 503.',
  example: '10',
  restricts: 'in-flight-connections',
  options: { amount: required(integer(1, 1_000_000_000), { meaning: 'Connections at the same time.' }) },
});

export const ipAllowList = middlewareKind({
  kind: 'ipAllowList',
  positional: 'sourceRange',
  meaning:
    'Addresses and networks that may call; others get 403 `address-denied`. Connections of `tcp`, `sni` and `tls` services are reset.',
  example: '10.0.0.0/8,192.168.1.7',
  restricts: 'ip-allow-list',
  options: {
    sourceRange: required(listOf(network), { meaning: 'Addresses and networks.' }),
    depth,
    excludedIps,
    rejectStatus: optional(integer(400, 599), { meaning: 'Status of those who may not.', default: '403' }),
  },
});
