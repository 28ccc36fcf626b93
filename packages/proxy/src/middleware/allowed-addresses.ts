import ipaddr from 'ipaddr.js';
import { proceed, refuse } from './local-responses.ts';
import type { Middleware } from './middleware.ts';

/** `allowedAddresses`: all other clients get 403. An unreadable address matches no entry. */
export function allowedAddresses(cidrs: readonly string[]): Middleware {
  const ranges = cidrs.flatMap((cidr) => (ipaddr.isValidCIDR(cidr) ? [ipaddr.parseCIDR(cidr)] : []));
  return {
    name: 'allowedAddresses',
    onRequest({ client }) {
      if (!ipaddr.isValid(client.address)) return refuse('address-denied');
      // `process` turns ::ffff:10.0.0.7 into 10.0.0.7, so a dual-stack socket passes no rule by another spelling.
      const address = ipaddr.process(client.address);
      const allowed = ranges.some((range) => address.kind() === range[0].kind() && address.match(range));
      return allowed ? proceed : refuse('address-denied');
    },
  };
}
