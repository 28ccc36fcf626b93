import { expect } from 'chai';
import { type RunningConsul, startConsul } from '../../harness/consul.ts';
import { freePort } from '../../harness/free-ports.ts';
import { type ChallengeDns, type RunningPebble, startChallengeDns, startPebble } from '../../harness/pebble.ts';
import { until } from '../../harness/until.ts';
import { newSecretsKey, type OrderingReplica, type ReplicaOptions, startReplica } from './ordering-rig.ts';

describe('ordering certificates', function () {
  this.timeout(120_000);
  let consul: RunningConsul;
  let dns: ChallengeDns;
  let pebble: RunningPebble;
  let port: number;
  const secretsKeys = [newSecretsKey()];
  const replicas: OrderingReplica[] = [];
  let instances = 0;
  let instance = '';

  before(async () => {
    port = await freePort();
    consul = await startConsul();
    dns = await startChallengeDns();
    pebble = await startPebble({ httpPort: port, dnsServer: dns.address });
  });
  after(async () => {
    await pebble?.remove();
    await dns?.remove();
    await consul?.remove();
  });
  beforeEach(() => {
    instances += 1;
    instance = `ordering-${instances}`;
  });
  afterEach(async () => {
    for (const replica of replicas.splice(0)) await replica.stop();
  });

  const start = async (name: string, options: Partial<ReplicaOptions> = {}) => {
    const replica = await startReplica({
      name,
      host: '127.0.0.1',
      port,
      consul: consul.address,
      instance,
      secretsKeys,
      env: { ACME_DIRECTORY: pebble.directoryUrl, ACME_CA_FILE: pebble.caFile, ...options.env },
      ordering: { restoreMs: 200 },
      ...options,
    });
    replicas.push(replica);
    return replica;
  };
  const namesOf = (replica: OrderingReplica) => replica.certificates.ordered().flatMap(({ names }) => names);

  it('orders one certificate for the names of a service and serves it', async () => {
    const one = await start('one');
    one.want({ web: ['www.shop.example.com', 'shop.example.com'], api: ['api.example.com'] });
    await until('both are served', () => one.served().certificates.length === 2);
    expect(one.certificates.ordered().map(({ names }) => names)).to.deep.equal([
      ['api.example.com'],
      ['shop.example.com', 'www.shop.example.com'],
    ]);
    expect(one.served().answers.http).to.deep.equal([]);
    expect(one.ended.map(({ result }) => result)).to.deep.equal(['issued', 'issued']);
  });
  void namesOf;
});
