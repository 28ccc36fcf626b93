import { expect } from 'chai';
import {
  type ByteRig,
  type EndpointKind,
  endpointKinds,
  type Front,
  fronts,
  startByteRig,
} from '../../../packages/proxy/test/bytes/byte-rig.ts';
import { type BytePlan, oneOf, plainPlan, randomOf, wholeOf } from '../../../packages/proxy/test/bytes/plan.ts';
import { until } from '../../../packages/proxy/test/until.ts';

const sizes = [0, 1, 4_097, 16_384, 65_535, 65_552, 131_073, 1_048_577];
const seed = Number(process.env.BYTES_SEED ?? 20_261_129);

const happenings: Readonly<Record<string, Partial<BytePlan>>> = {
  'goes through at once': {},
  'has slow readers': { reading: 'slow' },
  'has slow writers': { writing: 'slow' },
  'is reset by its endpoint': { ends: 'reset' },
};

describe(`bytes through tunnels, BYTES_SEED=${seed}`, function () {
  this.timeout(120_000);
  const random = randomOf(seed);
  const faults = new Map<string, string[]>();
  let rig: ByteRig;
  let nextId = 1;

  async function run(front: Front, kind: EndpointKind, happening: string): Promise<void> {
    const base: BytePlan = {
      ...plainPlan,
      id: nextId++,
      sizeBytes: oneOf(random, sizes),
      uploadBytes: oneOf(random, sizes),
      writing: oneOf(random, ['whole', 'pieces']),
      seed: Math.floor(random() * 2 ** 31),
      ...happenings[happening],
    };
    const plan = { ...base, cutAt: wholeOf(random, base.sizeBytes) };
    const client = await rig.tunnel(front, kind, plan);
    await until(() => rig.tunnelled(plan.id) !== undefined, 'the end of the endpoint').catch(() => undefined);
    const endpoint = rig.tunnelled(plan.id);
    const isWhole =
      plan.ends === 'reset'
        ? client.end === 'error' && client.bytes <= plan.sizeBytes
        : client.end === 'whole' && client.bytes === plan.sizeBytes && endpoint?.bytes === plan.uploadBytes;
    if (client.fault !== undefined || endpoint?.fault !== undefined || !isWhole) {
      const name = `${front}, ${happening}`;
      faults.set(name, [...(faults.get(name) ?? []), JSON.stringify({ kind, plan, client, endpoint })]);
    }
  }

  const tunnelFronts = fronts.filter((front) => front !== 'tcp relay');

  before(async () => {
    rig = await startByteRig({}, random);
    for (const happening of Object.keys(happenings))
      await Promise.all(
        tunnelFronts.flatMap((front) =>
          (Object.keys(endpointKinds) as EndpointKind[]).flatMap((kind) =>
            [1, 2].map(() => run(front, kind, happening)),
          ),
        ),
      );
  });
  after(() => rig.stop());

  for (const front of tunnelFronts)
    for (const happening of Object.keys(happenings))
      it(`are the tunnel's own, both ways, where it ${happening}: ${front}`, () => {
        expect(faults.get(`${front}, ${happening}`) ?? []).to.deep.equal([]);
      });
});
