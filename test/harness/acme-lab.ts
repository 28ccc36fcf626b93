import { type CaRelay, startCaRelay } from './ca-relay.ts';
import { type RunningConsul, startConsul } from './consul.ts';
import { freePorts } from './free-ports.ts';
import { type ChallengeDns, type PebbleOptions, type RunningPebble, startChallengeDns, startPebble } from './pebble.ts';

/** What certificates are ordered with: a Consul, a CA behind a relay, and the DNS that the CA queries. */
export interface AcmeLab {
  readonly consul: RunningConsul;
  readonly dns: ChallengeDns;
  readonly pebble: RunningPebble;
  /** The CA as replicas reach it. */
  readonly ca: CaRelay;
  /** Where the CA validates. */
  readonly httpPort: number;
  readonly tlsPort: number;
  remove(): Promise<void>;
}

/** Takes down what it has started where a part does not start. */
export async function startAcmeLab(
  options: Partial<Omit<PebbleOptions, 'httpPort' | 'tlsPort' | 'dnsServer'>> = {},
): Promise<AcmeLab> {
  const [httpPort = 0, tlsPort = 0] = await freePorts(2);
  await using parts = new AsyncDisposableStack();
  const consul = parts.adopt(await startConsul(), (each) => each.remove());
  const dns = parts.adopt(await startChallengeDns(), (each) => each.remove());
  const pebble = parts.adopt(await startPebble({ httpPort, tlsPort, dnsServer: dns.address, ...options }), (each) =>
    each.remove(),
  );
  const ca = parts.adopt(await startCaRelay(pebble), (each) => each.close());
  const started = parts.move();
  return { consul, dns, pebble, ca, httpPort, tlsPort, remove: () => started.disposeAsync() };
}
