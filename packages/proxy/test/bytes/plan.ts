/** What one exchange carries and how its endpoint serves it. It travels in the path, so that endpoints need no other channel. */
export interface BytePlan {
  /** Number of the exchange: its response has this pattern, its request body that of `uploadOf`. */
  readonly id: number;
  readonly sizeBytes: number;
  readonly uploadBytes: number;
  /** Of endpoints of HTTP/1.1. */
  readonly framing: 'length' | 'chunked' | 'close';
  /** In one write, in random pieces, or in pieces with pauses. */
  readonly writing: 'whole' | 'pieces' | 'slow';
  /** The endpoint reads the request body at once, or with pauses. */
  readonly reading: 'fast' | 'slow';
  /** When the endpoint responds: behind the request's body, or as soon as it has the head. */
  readonly responds: 'after' | 'early';
  /** How the endpoint ends its response: whole, or in the middle, behind `cutAt` bytes. */
  readonly ends: 'whole' | 'reset' | 'fin';
  readonly cutAt: number;
  /** Attempts that endpoints leave alone: `REFUSED_STREAM`, or the end of a connection of HTTP/1.1. */
  readonly refusals: number;
  readonly seed: number;
}

export const plainPlan: BytePlan = {
  id: 0,
  sizeBytes: 0,
  uploadBytes: 0,
  framing: 'length',
  writing: 'whole',
  reading: 'fast',
  responds: 'after',
  ends: 'whole',
  cutAt: 0,
  refusals: 0,
  seed: 1,
};

/** The number of a request body's pattern: no exchange has it. */
export const uploadOf = (id: number): number => (id | 0x4000_0000) >>> 0;

const { id: _, ...withoutId } = plainPlan;

export function pathOf(service: string, plan: BytePlan): string {
  const query = Object.keys(withoutId).map((name) => `${name}=${plan[name as keyof BytePlan]}`);
  return `/${service}/${plan.id}?${query.join('&')}`;
}

export function planOf(path: string): BytePlan {
  const { pathname, searchParams } = new URL(path, 'http://a');
  const plan: Record<string, number | string> = { ...plainPlan, id: Number(pathname.split('/')[2]) };
  for (const [name, value] of searchParams) plan[name] = typeof plan[name] === 'number' ? Number(value) : value;
  return plan as unknown as BytePlan;
}

/** Uniform in 0 to 1, the same for the same seed. */
export type Random = () => number;

export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const wholeOf = (random: Random, most: number): number => Math.floor(random() * (most + 1));

export function oneOf<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)] as T;
}

/** Sizes of pieces that make up so many bytes: most of a few KB, some of one byte, some of a whole read. */
export function* piecesOf(random: Random, bytes: number): Generator<readonly [number, number]> {
  for (let from = 0; from < bytes; ) {
    const most = oneOf(random, [1, 100, 4_096, 16_384, 65_536, 200_000]);
    const to = Math.min(bytes, from + 1 + wholeOf(random, most - 1));
    yield [from, to];
    from = to;
  }
}

/** Some turns of the event loop later: proxy, clients and endpoints share it, so each of them goes on meanwhile. */
export async function afterTurns(turns: number): Promise<void> {
  for (let left = turns; left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
}

/** The next turn of the event loop; where `isSlow`, sometimes many turns later. */
export const pause = (random: Random, isSlow: boolean): Promise<void> =>
  afterTurns(isSlow && random() < 0.3 ? 10 + wholeOf(random, 90) : 1);
