import { expect } from 'chai';
import { until } from '../until.ts';
import { EndingClient } from './ending-client.ts';
import type { EndingKind } from './ending-kinds.ts';
import { type Counts, type EndingsRig, startEndingsRig } from './endings-rig.ts';

export interface EndingsRequested {
  /** Settings of the server. */
  readonly env: Readonly<Record<string, string>>;
  readonly kinds: readonly EndingKind[];
  /** Connections of each kind whose client leaves as soon as it has seen how its connection ends. */
  readonly leaving: number;
  /** Connections of each kind whose client stays, so that the server has to end them by itself. */
  readonly staying: number;
}

const clientsAtOnce = 2_500;
/** The longest of the rig's timeouts, what lingers after it, and a slow machine. */
const closedWithinMs = 30_000;

/** After every way in which a client's connection can end it is gone, and everything that it took is back. */
export function itLetsGoOfEveryConnection({ env, kinds, leaving, staying }: EndingsRequested): void {
  const eachRound = Math.max(1, Math.floor(clientsAtOnce / kinds.length));
  let rig: EndingsRig;
  let quiet: Counts | undefined;
  const leaked = new Map<string, number>();

  before(async () => {
    rig = await startEndingsRig(env);
    // What is made once, or for so many at a time (threads that hash passwords), is no leak.
    await runAll(Math.min(leaving, eachRound), 'leave');
    await settled();
    leaked.clear();
    quiet = await rig.counts();
    await runAll(leaving, 'leave');
    await runAll(staying, 'stay');
  });
  after(() => rig.stop());

  for (const { name, port } of kinds)
    it(`after: ${name} (${port})`, () => {
      expect(leaked.get(name) ?? 0, 'connections that are still open').to.equal(0);
    });

  it('and has its descriptors, admission slots and pool places back', async () => {
    const { descriptors, ...places } = await settled();
    expect(descriptors).to.be.at.most(quiet?.descriptors ?? 0);
    expect(places).to.deep.equal({ clientConnections: 0, inFlight: 0, relayed: 0, upstreamInUse: 0, queued: 0 });
  });

  async function settled(): Promise<Counts> {
    let now = await rig.counts();
    await until(
      async () => {
        now = await rig.counts();
        const inUse = now.clientConnections + now.inFlight + now.relayed + now.upstreamInUse + now.queued;
        return inUse === 0 && now.descriptors <= (quiet?.descriptors ?? Number.POSITIVE_INFINITY);
      },
      'the counts of before',
      closedWithinMs,
    ).catch(() => undefined);
    return now;
  }

  /** Round after round of all kinds: so the kinds that only time ends cost their time once a round. */
  async function runAll(times: number, then: 'leave' | 'stay'): Promise<void> {
    for (let done = 0; done < times; done += eachRound)
      await runRound(
        kinds.flatMap((kind) => Array<EndingKind>(Math.min(eachRound, times - done)).fill(kind)),
        then,
      );
  }

  async function runRound(ofRoundKinds: readonly EndingKind[], then: 'leave' | 'stay'): Promise<void> {
    const kindOf = new Map<number, string>();
    const clients = ofRoundKinds.map((kind) => ({ kind, client: new EndingClient(rig.ports[kind.port]) }));
    await Promise.all(
      clients.map(async ({ kind, client }) => {
        await client.connected();
        kindOf.set(client.localPort ?? 0, kind.name);
        await orLate(kind.run(client));
        if (then === 'leave') client.socket.destroy();
      }),
    );
    const ofRound = () => [...rig.open()].flatMap((port) => kindOf.get(port) ?? []);
    await until(() => ofRound().length === 0, 'all to be closed', closedWithinMs).catch(() => undefined);
    for (const name of ofRound()) leaked.set(name, (leaked.get(name) ?? 0) + 1);
    for (const { client } of clients) client.socket.destroy();
  }
}

/** A kind that does not come to its point has a connection that is never ended: it is still open afterwards. */
function orLate(run: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, closedWithinMs);
    run.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
