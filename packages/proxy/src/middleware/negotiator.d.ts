// The published types lack `preferred`, which negotiator has had since 1.0.
declare module 'negotiator' {
  class Negotiator {
    constructor(request: { readonly headers: Readonly<Record<string, string | undefined>> });
    /** Acceptable codings of `available`, the best first. `preferred` decides among equal qualities. */
    encodings(available: readonly string[], options: { readonly preferred: readonly string[] }): string[];
    /** Acceptable types of `available`, the best first; in their order where the qualities are equal. */
    mediaTypes(available: readonly string[]): string[];
  }
  export = Negotiator;
}
