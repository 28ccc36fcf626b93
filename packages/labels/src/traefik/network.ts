import type { Problem } from '../definition/problem.ts';
import type { TraefikOptions, TraefikService } from './traefik-options.ts';

/** The network by whose addresses a service is reached, and what names it: a label or `TRAEFIK_NETWORK`. */
export interface RequestedNetwork {
  readonly name: string;
  readonly from: string;
}

/** `traefik.swarm.network`, else `traefik.docker.network`, else `TRAEFIK_NETWORK`. `undefined`: every shared network. */
export function requestedNetwork(
  labels: TraefikService['labels'],
  { network }: Pick<TraefikOptions, 'network'>,
): RequestedNetwork | undefined {
  for (const required of ['traefik.swarm.network', 'traefik.docker.network']) {
    const label = Object.keys(labels).find((each) => each.toLowerCase() === required);
    const name = label === undefined ? '' : (labels[label] ?? '').trim();
    if (label !== undefined && name !== '') return { name, from: label };
  }
  return network === undefined ? undefined : { name: network, from: 'TRAEFIK_NETWORK' };
}

/**
 * A service that has not joined the network that its label or `TRAEFIK_NETWORK` names. Traefik logs a warning and takes another one of its networks; so do we.
 * @param joined names of the overlay networks of the service
 */
export function networkProblem(
  service: string,
  requested: RequestedNetwork | undefined,
  joined: readonly string[],
): Problem | undefined {
  if (requested !== undefined && joined.includes(requested.name)) return undefined;
  if (joined.length === 0)
    return {
      severity: 'error',
      reason: 'network-not-shared',
      message: `${service} joins no overlay network: services with labels of Traefik are reached over a shared network only, never by published ports`,
      suggestion: `add the proxy's network${requested === undefined ? '' : ` ${requested.name}`} to its networks`,
    };
  if (requested === undefined) return undefined;
  // With the stack's name before it: what a stack file calls `web` is `shop_web` in Swarm.
  const full = joined.find((name) => name.endsWith(`_${requested.name}`));
  const mend = `add ${requested.name} to its networks`;
  const isLabel = requested.from !== 'TRAEFIK_NETWORK';
  return {
    severity: 'warning',
    reason: 'network-not-joined',
    message: `${requested.from} is ${requested.name.slice(0, 100)}, which ${service} has not joined; it is reached over those that it has joined: ${joined.join(', ')}`,
    ...(isLabel ? { label: requested.from, value: requested.name.slice(0, 100) } : {}),
    suggestion: isLabel
      ? `${mend}, or set ${requested.from} to ${full ?? joined.join(' or ')}`
      : `${mend}, or set traefik.swarm.network to ${full ?? joined.join(' or ')}`,
  };
}
