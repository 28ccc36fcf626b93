import { type AcmeLab, startAcmeLab } from '../harness/acme-lab.ts';
import { until } from '../harness/until.ts';
import { type AcmeProxy, randomSecretsKey, startAcmeProxies } from '../integration/acme/proxy-rig.ts';

/** Three proxies with two workers each, as processes, on one Consul; the CA is Pebble behind a relay that counts. */
export interface OrderingProxies extends Pick<AcmeLab, 'consul' | 'dns' | 'ca'> {
  readonly proxies: readonly AcmeProxy[];
  /** Whose lock it is, as the registry says. */
  leader(): Promise<AcmeProxy | undefined>;
  others(one: AcmeProxy): readonly AcmeProxy[];
  /** By the first of the proxies, unless `at` names another one. */
  reconfigure(
    service: string,
    hosts: readonly string[],
    at?: AcmeProxy,
    more?: Readonly<Record<string, string>>,
  ): Promise<void>;
  /** Waits, one proxy after the other, until each serves the host with a certificate whose serial is accepted: any, by default. */
  servedBy(
    some: readonly AcmeProxy[],
    host: string,
    isServed?: (serial: string | undefined) => boolean,
    withinMs?: number,
  ): Promise<void>;
  /** How many orders the CA has got. */
  orders(): number;
  /** After each test: takes its faults back. The logs of the proxies are written where it failed. */
  settle(test: Mocha.Runnable | undefined): void;
  remove(): Promise<void>;
}

const instance = 'faults';

/** @param profiles the CA's, with lifetimes in seconds; orders name `default` unless a service names another one */
export async function startOrderingProxies(profiles: Readonly<Record<string, number>>): Promise<OrderingProxies> {
  await using parts = new AsyncDisposableStack();
  const lab = parts.adopt(await startAcmeLab({ profiles }), (each) => each.remove());
  const { consul, dns, ca } = lab;
  // Pebble takes any of its profiles where an order names none.
  const options = { instance, secretsKey: randomSecretsKey(), env: { ACME_PROFILE: 'default' } };
  const proxies = await startAcmeProxies(lab, options);
  for (const each of proxies) parts.defer(() => each.remove());

  const leader = async () => {
    const response = await fetch(`${consul.url}/v1/kv/${instance}/acme/lock`);
    const [lock] = (await response.json()) as readonly { Value: string; Session?: string }[];
    if (lock?.Session === undefined) return undefined;
    const { name } = JSON.parse(Buffer.from(lock.Value, 'base64').toString('utf8')) as { name: string };
    return proxies.find((each) => name.startsWith(`proxy ${each.name}-`));
  };
  await until('one of them orders', leader);
  const started = parts.move();

  return {
    consul,
    dns,
    ca,
    proxies,
    leader,
    others: (one) => proxies.filter((each) => each !== one),
    reconfigure: async (service, hosts, at = proxies[0], more = {}) => {
      const query = new URLSearchParams({
        serviceName: service,
        port: '1',
        outboundHostname: '127.0.0.1',
        serviceDomain: hosts.join(','),
        ...more,
      });
      await at?.get(`/v1/docker-flow-proxy/reconfigure?${query}`);
    },
    servedBy: async (some, host, isServed = (serial) => serial !== undefined, withinMs = 60_000) => {
      for (const each of some)
        await until(`${each.name} serves ${host}`, async () => isServed(await each.serial(host)), { withinMs });
    },
    orders: () => ca.counts.get('new-order') ?? 0,
    settle: (test) => {
      ca.intercept(undefined);
      consul.resume();
      if (test?.state === 'failed')
        for (const each of proxies) console.error(each.name, each.process.log().slice(-2_500));
    },
    remove: () => started.disposeAsync(),
  };
}
