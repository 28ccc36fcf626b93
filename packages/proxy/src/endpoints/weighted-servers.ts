import type { Endpoint } from '../model/endpoint.ts';
import type { NameState } from './name-resolution.ts';

/** One server of several. */
export interface DiscoveredServer {
  readonly name: string;
  readonly port: number;
  /** Its part of the requests, whatever number of addresses it has. */
  readonly weight: number;
  readonly backup?: true;
  /** Registered tasks. Absent: the name is resolved. */
  readonly endpoints?: readonly Endpoint[];
}

/**
 * Every address of every server that has one. The weight of a server is divided among its addresses. Pure.
 *
 * @param states of the names that are resolved, in the order of their servers
 */
export function endpointsOfServers(
  servers: readonly DiscoveredServer[],
  states: readonly NameState[],
  target: Pick<Endpoint, 'secure' | 'http2'>,
): readonly Endpoint[] {
  let at = 0;
  const found = servers.map((server): Addresses => {
    const { name, port, backup, endpoints } = server;
    const more = { serverName: name, ...(backup === undefined ? {} : { backup }) };
    const known =
      endpoints ??
      hostsOf(states[at++], name).map(
        (host): Endpoint => ({ id: `${host}:${port}`, host, ...target, port, state: 'active' }),
      );
    return { server, endpoints: known.map((endpoint) => ({ ...endpoint, ...more })) };
  });
  return withWeights(found);
}

interface Addresses {
  readonly server: DiscoveredServer;
  readonly endpoints: readonly Endpoint[];
}

/** The system resolves a name that is not known yet when it is tried. */
function hostsOf(state: NameState | undefined, name: string): readonly string[] {
  if (state === undefined || state.kind === 'failed') return [];
  return state.kind === 'resolved' ? state.addresses : [name];
}

/** Whole numbers, because a round has as many places. All endpoints have a weight, or none has, where all weights are equal. */
function withWeights(found: readonly Addresses[]): readonly Endpoint[] {
  const counted = found.map(({ server, endpoints }) => ({
    server,
    endpoints,
    among: Math.max(1, activeOf(endpoints)),
  }));
  const common = counted.reduce((multiple, { among }) => leastMultiple(multiple, among), 1);
  const scale = Math.min(common, mostScale);
  const shares = counted.map(({ server, among }) => Math.max(1, Math.round((server.weight * scale) / among)));
  const divisor = shares.reduce(greatestDivisor, 0);
  const weights = shares.map((share) => share / divisor);
  const isEven = weights.every((weight) => weight === 1);
  return counted.flatMap(({ endpoints }, at) =>
    isEven ? endpoints : endpoints.map((endpoint) => ({ ...endpoint, weight: weights[at] ?? 1 })),
  );
}

/** With more a share is rounded: this is exact for up to ten addresses each. */
const mostScale = 2_520;

/** Those that leave get no new requests. */
function activeOf(endpoints: readonly Endpoint[]): number {
  return endpoints.filter(({ state }) => state === 'active').length;
}

function leastMultiple(one: number, other: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, (one / greatestDivisor(one, other)) * other);
}

function greatestDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestDivisor(other, one % other);
}
