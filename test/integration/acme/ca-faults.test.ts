import { expect } from 'chai';
import { type AcmeLab, startAcmeLab } from '../../harness/acme-lab.ts';
import { type CaRelay, startCaRelay } from '../../harness/ca-relay.ts';
import { itSideBySide } from '../../harness/side-by-side.ts';
import { until } from '../../harness/until.ts';
import { newSecretsKey, type OrderingReplica, startReplica } from './ordering-rig.ts';

/** What one test has for itself: a way to the CA, and a replica with a registry and an address of its own. */
interface Place {
  readonly relay: CaRelay;
  readonly one: OrderingReplica;
  /** Leads to the replica. */
  readonly host: string;
  problems(): string;
  isServed(): Promise<unknown>;
}

// Each waits for seconds until the CA is called again, so all of them do it at once, on one Consul and one Pebble.
describe('a CA that responds with faults', function () {
  this.timeout(120_000);
  let lab: AcmeLab;
  const secretsKeys = [newSecretsKey()];
  let places = 0;

  before(async () => {
    lab = await startAcmeLab();
  });
  after(async () => {
    await lab?.remove();
  });

  const inPlace = async (run: (place: Place) => Promise<void>) => {
    places += 1;
    const [number, host] = [places, `shop${places}.example.com`];
    const { consul, dns, pebble, httpPort: port } = lab;
    await using started = new AsyncDisposableStack();
    const address = `127.0.0.${10 + number}`;
    await dns.setAddresses(host, [address]);
    const relay = started.adopt(await startCaRelay(pebble), (each) => each.close());
    const one = started.adopt(
      await startReplica({
        name: 'one',
        host: address,
        port,
        consul: consul.address,
        instance: `ca-faults-${number}`,
        secretsKeys,
        env: { ACME_DIRECTORY: relay.directoryUrl, ACME_CA_FILE: pebble.caFile },
        ordering: { restoreMs: 200 },
      }),
      (each) => each.stop(),
    );
    const problems = () =>
      [...one.certificates.problems()].flatMap(([key, found]) => found.map(({ reason }) => `${key} ${reason}`)).join();
    await run({
      relay,
      one,
      host,
      problems,
      isServed: () => until('it is served', () => one.served().certificates.length === 1, { withinMs: 90_000 }),
    });
  };

  const outages = [
    ['5xx', 2, () => ({ status: 503, detail: 'out of order' })],
    // More than the client tries within one request.
    ['refusals of every nonce', 20, () => ({ status: 400, type: 'badNonce', detail: 'no' })],
    ['a response that is no ACME', 2, () => ({ status: 200, detail: '<html>' })],
  ] as const;
  const inMidOrder = outages.map(([what, least, reply]) => {
    const title = `costs its own retries after ${what} in the middle of an order: the same order goes on, without a failure`;
    return [
      title,
      () =>
        inPlace(async ({ relay, one, host, isServed }) => {
          let refused = 0;
          relay.intercept((kind) => {
            if (!['order', 'authorization', 'challenge', 'finalize', 'certificate'].includes(kind)) return undefined;
            refused += 1;
            return reply();
          });
          one.want({ web: [host] });
          await until('the CA is called in vain', () => refused >= least, { withinMs: 60_000 });
          relay.intercept(undefined);
          await isServed();
          expect(relay.counts.get('new-order')).to.equal(1);
          expect(one.ended.map(({ result }) => result)).to.deep.equal(['issued']);
          expect(one.certificates.waiting()).to.deep.equal([]);
        }),
    ] as const;
  });

  const away = () =>
    inPlace(async ({ relay, one, host, isServed }) => {
      relay.intercept(() => ({ status: 503, detail: '', headers: { 'retry-after': '1' } }));
      one.want({ web: [host] });
      await until('the CA does not respond', () => one.log.some((line) => line.includes('no usable response')), {
        withinMs: 60_000,
      });
      expect(one.ended).to.deep.equal([]);
      relay.intercept(undefined);
      await isServed();
    });

  const urls = {
    newNonce: 'https://127.0.0.1:1/n',
    newAccount: 'https://127.0.0.1:1/a',
    newOrder: 'https://127.0.0.1:1/o',
  };
  const directories = [
    ['nothing', { status: 200, detail: '' }],
    ['HTML', { status: 200, detail: '<html>' }],
    ['null', { status: 200, detail: 'null' }],
    ['2 MB', { status: 200, detail: `{"newNonce":"${'x'.repeat(2_000_000)}"}` }],
    ['JSON that is nested 100,000 deep', { status: 200, detail: '['.repeat(100_000) }],
    ['a redirect', { status: 302, detail: '', headers: { location: 'http://127.0.0.1:1/' } }],
    ['plain HTTP', { status: 200, detail: JSON.stringify({ ...urls, newOrder: 'http://127.0.0.1:1/o' }) }],
    ['URLs where nothing responds', { status: 200, detail: JSON.stringify(urls) }],
    ['an unknown problem', { status: 418, type: '../../x\r\nSet-Cookie: a=b', detail: 'a'.repeat(50_000) }],
  ] as const;
  const noDirectories = directories.map(
    ([what, reply]) =>
      [
        `is survived where its directory is ${what}, and certifies once it is one`,
        () =>
          inPlace(async ({ relay, one, host, problems, isServed }) => {
            relay.intercept((kind) => (kind === 'directory' ? reply : undefined));
            one.want({ web: [host] });
            await until(
              'it is reported',
              () => one.log.some((line) => /no usable response|"no certificate"/.test(line)),
              { withinMs: 60_000 },
            );
            for (const line of one.log) expect(line.length, line.slice(0, 300)).to.be.lessThan(4_000);
            if (what === 'an unknown problem') {
              // The log line comes before the problem is written and followed.
              await until('its problem', () => problems() === 'swarm/web acme-account');
              relay.intercept(undefined);
              await one.certificates.renew(host, 'test');
            } else await until('it is a problem at once', () => problems() === 'swarm/web acme-unreachable');
            relay.intercept(undefined);
            await isServed();
            expect(problems()).to.equal('');
          }),
      ] as const,
  );

  itSideBySide([...inMidOrder, ['is waited for where it is away at first, and reported', away], ...noDirectories]);
});
