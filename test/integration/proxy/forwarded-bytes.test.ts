import { expect } from 'chai';
import type { Manner } from '../../../packages/proxy/test/bytes/byte-client.ts';
import {
  type ByteRig,
  type EndpointKind,
  endpointKinds,
  type Front,
  fronts,
  type PlaceCounts,
  startByteRig,
} from '../../../packages/proxy/test/bytes/byte-rig.ts';
import { faultOf } from '../../../packages/proxy/test/bytes/fault-of.ts';
import {
  type BytePlan,
  oneOf,
  pathOf,
  plainPlan,
  type Random,
  randomOf,
  wholeOf,
} from '../../../packages/proxy/test/bytes/plan.ts';
import { until } from '../../../packages/proxy/test/until.ts';

/** Around what frames, reads, shares and buffers of the forwarding path hold. */
const sizes = [0, 4_096, 8_192, 16_384, 65_536, 65_552, 131_072, 1_048_576].flatMap((size) =>
  size === 0 ? [0, 1] : [size - 1, size, size + 1],
);

type Vary = (
  plan: BytePlan,
  random: Random,
  front: Front,
) => { readonly plan?: Partial<BytePlan>; readonly manner?: Partial<Manner> };

const within = (random: Random, bytes: number) => 1 + wholeOf(random, Math.max(0, bytes - 2));
const withBody = (bytes: number) => Math.max(2, bytes);

/** What happens to an exchange. */
const happenings: Readonly<Record<string, Vary>> = {
  'goes through at once': () => ({}),
  // More than the system's buffers hold of it.
  'has a slow reader': ({ sizeBytes }, _random, front) => ({
    plan: { sizeBytes: sizeBytes + (front.startsWith('h2') ? 1 : 4) * 1_048_576, reading: 'slow' },
    manner: { reading: 'slow' },
  }),
  'has a slow writer': () => ({ plan: { writing: 'slow' }, manner: { writing: 'slow' } }),
  'has an endpoint that is connected late': () => ({}),
  'is left by its client in mid-response': (plan, random) => {
    const sizeBytes = withBody(plan.sizeBytes);
    return { plan: { sizeBytes }, manner: { leavesAtReceived: within(random, sizeBytes) } };
  },
  'is left by its client in mid-request': (plan, random) => {
    const uploadBytes = withBody(plan.uploadBytes);
    return { plan: { uploadBytes }, manner: { leavesAtSent: within(random, uploadBytes) } };
  },
  'is reset by its endpoint in mid-response': (plan, random) => {
    const sizeBytes = withBody(plan.sizeBytes);
    return { plan: { sizeBytes, ends: 'reset', cutAt: within(random, sizeBytes) } };
  },
  'is ended by its endpoint in mid-response': (plan, random) => {
    const sizeBytes = withBody(plan.sizeBytes);
    const framing = plan.framing === 'close' ? 'length' : plan.framing;
    return { plan: { sizeBytes, framing, ends: 'fin', cutAt: within(random, sizeBytes) } };
  },
  'is responded to before its body has come': () => ({ plan: { responds: 'early' } }),
  'is left alone by the first endpoint': () => ({ plan: { refusals: 1 }, manner: { mayRepeat: true } }),
};

interface Case {
  readonly front: Front;
  readonly kind: EndpointKind;
  readonly framing: BytePlan['framing'];
  readonly happening: string;
}

const framings = ['length', 'chunked', 'close'] as const;
const cases: readonly Case[] = fronts.flatMap((front) =>
  kindsOf(front).flatMap((kind) =>
    framings.flatMap((framing) => happeningsOf(front).map((happening) => ({ front, kind, framing, happening }))),
  ),
);

/** A relay of tcp leads to one endpoint, and sends nothing again. */
function kindsOf(front: Front): readonly EndpointKind[] {
  return front === 'tcp relay' ? ['http1'] : (Object.keys(endpointKinds) as EndpointKind[]);
}

function happeningsOf(front: Front): readonly string[] {
  const isOfRelay = (name: string) => !/late|left alone/.test(name);
  return Object.keys(happenings).filter((name) => front !== 'tcp relay' || isOfRelay(name));
}

/** Which sizes meet which case. Which of them meet in time is another one in each run. */
const seed = Number(process.env.BYTES_SEED ?? 20_261_129);

for (const [server, env] of [
  ['the own framer', {}],
  ['the own framer, through Express', { HTTP_ROUTER: 'express' }],
  ['node:http2', { HTTP2: 'node' }],
] as const)
  describe(`bytes through the proxy, HTTP/2 by ${server}, BYTES_SEED=${seed}`, function () {
    this.timeout(120_000);
    const random = randomOf(seed);
    const faults = new Map<string, string[]>();
    let rig: ByteRig;
    let quiet: PlaceCounts;
    let nextId = 1;

    function planOf({ front, framing, happening }: Case): { plan: BytePlan; manner: Manner } {
      const own = randomOf(seed + nextId * 7_919);
      const base: BytePlan = {
        ...plainPlan,
        id: nextId++,
        sizeBytes: oneOf(own, sizes),
        uploadBytes: own() < 0.4 ? 0 : oneOf(own, sizes),
        framing,
        writing: oneOf(own, ['whole', 'pieces']),
        seed: Math.floor(own() * 2 ** 31),
      };
      const { plan, manner } = happenings[happening]?.(base, own, front) ?? {};
      const usual: Manner = {
        reading: 'fast',
        writing: 'fast',
        isUnsized: own() < 0.5,
        mayRepeat: false,
        leavesAtReceived: -1,
        leavesAtSent: -1,
      };
      return { plan: { ...base, ...plan }, manner: { ...usual, ...manner } };
    }

    function serviceOf({ front, kind, happening }: Case): string {
      if (happening.startsWith('is left alone')) return `${kind}-pair`;
      return happening.includes('late') ? `${kind}-late-${fronts.indexOf(front)}` : kind;
    }

    /** Cases of one front, on a few connections at once: streams of HTTP/2 run beside each other, others follow each other. */
    async function runFront(front: Front): Promise<void> {
      const own = cases.filter((each) => each.front === front);
      const parts = Array.from({ length: 6 }, (_, at) => own.filter((_case, index) => index % 6 === at));
      await Promise.all(parts.map((part) => (front.startsWith('h2') ? runBeside(part) : runBehind(part))));
    }

    async function runBeside(part: readonly Case[]): Promise<void> {
      const client = await rig.client(part[0]?.front ?? 'h2');
      await Promise.all(part.map((each) => run(each, client)));
      client.close();
    }

    async function runBehind(part: readonly Case[]): Promise<void> {
      let client = await rig.client(part[0]?.front ?? 'HTTP/1.1');
      for (const each of part) {
        // What a relay carries does not tell of its end.
        if (client.isOver || each.front === 'tcp relay') {
          client.close();
          client = await rig.client(each.front);
        }
        await run(each, client);
      }
      client.close();
    }

    async function run(each: Case, client: Awaited<ReturnType<ByteRig['client']>>): Promise<void> {
      const { plan, manner } = planOf(each);
      const outcome = await client.exchange(pathOf(serviceOf(each), plan), plan, manner);
      // What endpoints have of it comes behind.
      if (outcome.status === 200 && outcome.end === 'whole' && plan.responds === 'after')
        await until(() => rig.attemptsOf(plan.id).some(({ isWhole }) => isWhole), 'the request at an endpoint', 5_000);
      const found = [faultOf(plan, outcome, rig.attemptsOf(plan.id)), ...client.faults].filter(
        (text) => text !== undefined,
      );
      const name = `${each.front}, ${each.happening}`;
      faults.set(name, [
        ...(faults.get(name) ?? []),
        ...found.map((text) => `${JSON.stringify({ ...each, plan, manner })} ${text}`),
      ]);
    }

    /** Every idle connection to an endpoint carries another request. */
    async function useConnections(): Promise<void> {
      const client = await rig.client('h2c');
      const kinds = Object.keys(endpointKinds) as EndpointKind[];
      const used = kinds.flatMap((kind) => Array.from({ length: 20 }, () => kind));
      const plain: Case = { front: 'h2c', kind: 'http1', framing: 'length', happening: 'goes through at once' };
      await Promise.all(used.map((kind) => run({ ...plain, kind }, client)));
      client.close();
    }

    /** @param most sockets, of connections that the other side has yet to close too */
    async function settled(most = Number.POSITIVE_INFINITY): Promise<PlaceCounts> {
      let now = await rig.counts();
      const isFree = async () => {
        now = await rig.counts();
        return now.clientConnections + now.inFlight + now.upstreamInUse + now.queued === 0 && now.sockets <= most;
      };
      await until(isFree, 'places to be free').catch(() => undefined);
      return now;
    }

    before(async () => {
      rig = await startByteRig(env, random);
      await useConnections();
      quiet = await settled();
      await Promise.all(fronts.map(runFront));
      await useConnections();
    });
    after(() => rig.stop());

    for (const front of fronts)
      for (const happening of happeningsOf(front))
        it(`are those of the exchange, both ways, where it ${happening}: ${front}`, () => {
          expect(faults.get(`${front}, ${happening}`)).to.deep.equal([]);
        });

    it('come to endpoints in the windows and states of streams', () => {
      expect(rig.endpointFaults).to.deep.equal([]);
    });

    it('leave descriptors, places in flight and of pools as before, and usable connections', async () => {
      const { sockets, ...places } = await settled(quiet.sockets);
      expect(places).to.deep.equal({ clientConnections: 0, inFlight: 0, upstreamInUse: 0, queued: 0 });
      expect(sockets).to.be.at.most(quiet.sockets);
    });
  });
