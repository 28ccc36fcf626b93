import { type AlpnPair, makeAlpnPairs } from '../certificates/tls-alpn.ts';
import type { ChallengeAnswer } from '../storage/documents.ts';
import type { OpenAnswers } from './answer-board.ts';
import { serverNameOf } from './server-name.ts';

/** Makes of the answers in the registry what a proxy shows; certificates of tls-alpn-01 once for each answer. */
export class OpenedAnswers {
  readonly #now: () => number;
  #known = new Map<string, readonly AlpnPair[]>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  async of(answers: readonly ChallengeAnswer[]): Promise<OpenAnswers> {
    const next = new Map<string, readonly AlpnPair[]>();
    const http: [string, string, string][] = [];
    const alpn: [string, readonly AlpnPair[]][] = [];
    for (const { kind, name, token, keyAuthorization } of answers) {
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
