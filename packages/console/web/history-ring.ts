/** The last figures of one service, oldest first, for a sparkline. Of fixed size, so that a page may stay open for days. */
export class FigureRing {
  readonly #figures: number[] = [];
  readonly #most: number;

  constructor(most = 60) {
    this.#most = most;
  }

  add(figure: number): void {
    this.#figures.push(figure);
    if (this.#figures.length > this.#most) this.#figures.shift();
  }

  get figures(): readonly number[] {
    return this.#figures;
  }
}

/** One figure of each service. Services that left the table leave it, too. */
export class FigureHistory {
  readonly #rings = new Map<string, FigureRing>();

  add(figures: ReadonlyMap<string, number>): void {
    for (const key of this.#rings.keys()) if (!figures.has(key)) this.#rings.delete(key);
    for (const [key, figure] of figures) {
      let ring = this.#rings.get(key);
      // A service without traffic costs nothing.
      if (ring === undefined && figure === 0) continue;
      if (ring === undefined) {
        ring = new FigureRing();
        this.#rings.set(key, ring);
      }
      ring.add(figure);
    }
  }

  of(key: string): readonly number[] {
    return this.#rings.get(key)?.figures ?? [];
  }
}

/** The points of an SVG polyline, from left to right; `undefined` for less than two figures. */
export function sparkPoints(figures: readonly number[], width: number, height: number): string | undefined {
  if (figures.length < 2) return undefined;
  const highest = Math.max(...figures, Number.MIN_VALUE);
  const step = width / (figures.length - 1);
  return figures
    .map((figure, at) => `${(at * step).toFixed(1)},${(height - 1 - (figure / highest) * (height - 2)).toFixed(1)}`)
    .join(' ');
}
