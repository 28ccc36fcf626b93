import type { Destination, Problem } from '@swarmgate/registry';
import type { EntrypointSetting } from '@swarmgate/runtime';
import { entersAt, entryPortPattern } from '../../routing/entry-port.ts';

export interface RelayPorts {
  readonly ports: readonly number[];
  /** Set where a port that the labels name cannot be relayed. */
  readonly problem?: Omit<Problem, 'severity'>;
}

/**
 * Ports at which a destination is relayed: `srcPort`, else those of `entryPorts`. A port is the destination's own, opened for
 * it, or an entrypoint that ends TLS, for `sni` and `tls`.
 */
export function relayPortsOf(
  { srcPort, entryPorts = [], reqMode }: Destination,
  entrypoints: readonly EntrypointSetting[],
): RelayPorts {
  const label = srcPort === undefined ? 'entryPorts' : 'srcPort';
  const requested = srcPort === undefined ? entryPorts : [String(srcPort)];
  const ports = new Set<number>();
  let unusable: string | undefined;
  for (const text of requested) {
    const pattern = entryPortPattern(text);
    const fitting = entrypoints.filter((entrypoint) => entersAt(pattern, entrypoint));
    const isOwn = pattern.port !== undefined && !entrypoints.some(({ port }) => port === pattern.port);
    const usable = reqMode === 'tcp' ? [] : fitting.filter(({ secure }) => secure).map(({ port }) => port);
    // Without TLS at the entrypoint there is no name to relay by, and requests have the port.
    if (isOwn && pattern.secure !== true && reqMode !== 'tls') ports.add(pattern.port);
    else if (usable.length === 0) unusable = text;
    for (const port of usable) ports.add(port);
  }
  if (unusable === undefined) return { ports: [...ports] };
  return { ports: [...ports], problem: problemOf(unusable, label, reqMode, entrypoints) };
}

function problemOf(
  requested: string,
  label: 'srcPort' | 'entryPorts',
  reqMode: Destination['reqMode'],
  entrypoints: readonly EntrypointSetting[],
): Omit<Problem, 'severity'> {
  const { port } = entryPortPattern(requested);
  const entrypoint = entrypoints.find((each) => each.port === port);
  if (entrypoint === undefined)
    return {
      reason: 'entrypoint-missing',
      message: `reqMode ${reqMode} needs an entrypoint that ends TLS at ${requested}, and this proxy has ${shown(entrypoints)}`,
      label,
      value: requested,
      suggestion: `Add ${port ?? 443}:ssl to BIND_PORTS of the proxies, or correct com.df.${label}.`,
    };
  return {
    reason: 'relay-port-unavailable',
    message: `port ${requested} cannot be relayed: it is the entrypoint ${shown([entrypoint])}`,
    label,
    value: requested,
    suggestion: entrypoint.secure
      ? `Use com.df.reqMode sni or tls to relay it by server name, or another com.df.${label}.`
      : `Make the entrypoint ${port}:ssl to relay sni and tls there, or choose another com.df.${label}.`,
  };
}

function shown(entrypoints: readonly EntrypointSetting[]): string {
  return entrypoints.map(({ port, secure }) => `${port}${secure ? ':ssl' : ''}`).join(', ') || 'none';
}
