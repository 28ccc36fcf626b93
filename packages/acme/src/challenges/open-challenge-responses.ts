import { type AlpnPair, makeAlpnPairs } from '../certificates/tls-alpn.ts';
import type { ChallengeResponse } from '../storage/documents.ts';
import type { OpenChallengeResponses } from './challenge-board.ts';
import { serverNameOf } from './server-name.ts';

/** Makes of the responses in the registry what a proxy shows; certificates of tls-alpn-01 once for each response. */
export class ChallengeResponseOpener {
  readonly #now: () => number;
  #known = new Map<string, readonly AlpnPair[]>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  async of(responses: readonly ChallengeResponse[]): Promise<OpenChallengeResponses> {
    const next = new Map<string, readonly AlpnPair[]>();
    const http: [string, string, string][] = [];
    const alpn: [string, readonly AlpnPair[]][] = [];
    for (const { kind, name, token, keyAuthorization } of responses) {
      if (kind === 'http-01') http.push([name, token, keyAuthorization]);
      else {
        const key = `${name} ${keyAuthorization}`;
        const pairs = this.#known.get(key) ?? (await makeAlpnPairs(name, keyAuthorization, this.#now()));
        next.set(key, pairs);
        alpn.push([serverNameOf(name), pairs]);
      }
    }
    this.#known = next;
    return { http, alpn };
  }
}
