import type { AcmeLab } from '../../harness/acme-lab.ts';
import { startAcmeLab } from '../../harness/acme-lab.ts';
import { until } from '../../harness/until.ts';
import { newSecretsKey, type OrderingReplica, type ReplicaOptions, startReplica } from './ordering-rig.ts';

/** What tests of one replica and several CAs share: a lab, and whatever a test starts beside it, which ends with the test. */
export interface IssuerRig {
  readonly lab: AcmeLab;
  /** Of this test; a suffix makes it another registry. */
  instance: string;
  readonly replicas: OrderingReplica[];
  readonly others: { remove(): Promise<void> }[];
  start(options?: Partial<ReplicaOptions>): Promise<OrderingReplica>;
  served(replica: OrderingReplica, names: number): Promise<unknown>;
}

/** Registers mocha's hooks in the present `describe`; the lab is there once the first test runs. */
export function issuerRig(name: string): IssuerRig {
  let lab: AcmeLab | undefined;
  const secretsKeys = [newSecretsKey()];
  const present = (): AcmeLab => {
    if (lab === undefined) throw new Error('the lab is started before the first test');
    return lab;
  };
  let instances = 0;
  const rig: IssuerRig = {
    get lab() {
      return present();
    },
    instance: '',
    replicas: [],
    others: [],
    start: async (options = {}) => {
      const { env, ordering, ...more } = options;
      const { ca, pebble, consul, httpPort } = present();
      const replica = await startReplica({
        name: 'one',
        host: '127.0.0.1',
        port: httpPort,
        consul: consul.address,
        instance: rig.instance,
        secretsKeys,
        env: { ACME_DIRECTORY: ca.directoryUrl, ACME_CA_FILE: pebble.caFile, ...env },
        ordering: { restoreMs: 100, ...ordering },
        ...more,
      });
      rig.replicas.push(replica);
      return replica;
    },
    served: (replica, names) =>
      until('the certificates are served', () => replica.served().certificates.length === names, { withinMs: 60_000 }),
  };
  before(async () => {
    lab = await startAcmeLab();
  });
  after(async () => {
    await lab?.remove();
  });
  beforeEach(() => {
    instances += 1;
    rig.instance = `${name}-${instances}`;
  });
  afterEach(async () => {
    lab?.ca.intercept(undefined);
    lab?.ca.rewrite({});
    for (const replica of rig.replicas.splice(0)) await replica.stop();
    for (const each of rig.others.splice(0)) await each.remove();
  });
  return rig;
}
