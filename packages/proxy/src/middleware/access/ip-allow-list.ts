import type { UseOf } from '@swarmgate/labels';
import { addressList } from '../../http/address-list.ts';
import { sourceAddress } from '../limits/source-address.ts';
import { proceed, refuse } from '../local-responses.ts';
import type { Decision, Middleware } from '../middleware.ts';

/** `ipAllowList`. An address that is not known matches no entry. */
export function ipAllowList(use: UseOf<'ipAllowList'>): Middleware {
  const isAllowed = addressList(use.sourceRange);
  const source = sourceAddress(use);
  const refused = refuse('address-denied');
  const denied: Decision =
    refused.kind === 'respond' && use.rejectStatus !== undefined
      ? { kind: 'respond', response: { ...refused.response, status: use.rejectStatus } }
      : refused;
  return {
    name: 'ipAllowList',
    onRequest: (exchange) => (isAllowed(source(exchange) ?? '') ? proceed : denied),
  };
}
