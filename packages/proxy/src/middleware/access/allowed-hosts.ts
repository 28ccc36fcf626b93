import type { UseOf } from '@swarmgate/labels';
import { normalizeHost } from '../../routing/normal-host.ts';
import { proceed, refuse } from '../local-responses.ts';
import type { Middleware } from '../middleware.ts';

/** `allowedHosts`: compared with the host of the request in normal form, so with the one that routes are chosen by. */
export function allowedHosts({ hosts }: UseOf<'allowedHosts'>): Middleware {
  const allowed = new Set(
    hosts.flatMap((host) => {
      const normal = normalizeHost(host);
      return normal.ok ? [normal.host] : [];
    }),
  );
  return { name: 'allowedHosts', onRequest: ({ host }) => (allowed.has(host) ? proceed : refuse('host-denied')) };
}
