import { expect } from 'chai';
import type { CaRequestKind } from '../harness/ca-relay.ts';
import { until } from '../harness/until.ts';
import type { AcmeProxy } from '../integration/acme/proxy-rig.ts';
import { type OrderingProxies, startOrderingProxies } from './ordering-proxies.ts';

describe('certificates whose orderer fails', function () {
  this.timeout(900_000);
  let all: OrderingProxies;

  before(async () => {
    all = await startOrderingProxies({ default: 7_776_000 });
  });
  after(() => all?.remove());
  afterEach(function () {
    all?.settle(this.currentTest);
  });

  const steps: readonly CaRequestKind[] = [
    'new-order',
    'order',
    'authorization',
    'challenge',
    'finalize',
    'certificate',
  ];
  for (const how of ['SIGKILL', 'SIGSTOP'] as const)
    for (const step of steps)
      it(`are issued once when the orderer gets ${how} at the step ${step}`, async () => {
        const orderer = await until('one of them orders', all.leader);
        const [witness] = all.others(orderer) as [AcmeProxy];
        const host = `${step}-${how}.example.com`.toLowerCase();
        await all.dns.setAddresses(host, [witness.address]);
        const before = all.orders();
        let isHit = false;
        const certificatesBefore = all.ca.counts.get('finalize') ?? 0;
        all.ca.intercept((kind) => {
          if (kind !== step || isHit) return undefined;
          isHit = true;
          orderer.process.signal(how);
          return undefined;
        });
        await all.reconfigure(host.replaceAll('.', '-'), [host], witness);
        await until('the step is reached', () => isHit);
        await all.servedBy(all.others(orderer), host);
        if (how === 'SIGSTOP') orderer.process.signal('SIGCONT');
        else {
          await orderer.process.kill();
          orderer.process.start();
        }
        await orderer.ready();
        await all.servedBy(all.proxies, host);
        const serials = await Promise.all(all.proxies.map((each) => each.serial(host)));
        expect(new Set(serials).size).to.equal(1);
        // An order whose URL could not be stored any more is the only one that is made again.
        expect(all.orders() - before).to.be.at.most(step === 'new-order' ? 2 : 1);
        expect((all.ca.counts.get('finalize') ?? 0) - certificatesBefore).to.be.at.most(2);
        const { waiting } = await witness.certificates();
        expect(waiting.filter(({ name }) => name === host)).to.deep.equal([]);
      });
});
