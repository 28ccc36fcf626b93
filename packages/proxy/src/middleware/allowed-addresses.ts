import { addressList } from '../http/address-list.ts';
import { proceed, refuse } from './local-responses.ts';
import type { Middleware } from './middleware.ts';

/** `allowedAddresses`: all other clients get 403. An unreadable address matches no entry. */
export function allowedAddresses(cidrs: readonly string[]): Middleware {
  const isAllowed = addressList(cidrs);
  return {
    name: 'allowedAddresses',
    onRequest: ({ client }) => (isAllowed(client.address) ? proceed : refuse('address-denied')),
  };
}
