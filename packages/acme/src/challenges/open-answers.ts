import { openSecret, type SecretsKey } from '@swarmgate/registry';
import type { ChallengeAnswer } from '../storage/documents.ts';
import type { AlpnAnswer, OpenAnswers } from './answer-board.ts';
import { serverNameOf } from './server-name.ts';

/** Answers as a board takes them. One that is sealed with another key is left out. */
export function openAnswers(answers: readonly ChallengeAnswer[], keys: readonly SecretsKey[]): OpenAnswers {
  const http: [string, string, string][] = [];
  const alpn: [string, AlpnAnswer][] = [];
  for (const answer of answers) {
    if (answer.kind === 'http-01') http.push([answer.name, answer.token, answer.keyAuthorization]);
    else {
      const privateKey = openSecret(answer.sealedKey, alpnBinding(answer.name), keys);
      if (privateKey !== undefined)
        alpn.push([serverNameOf(answer.name), { certificate: answer.certificate, privateKey }]);
    }
  }
  return { http, alpn };
}

/** What the sealed key of an answer is bound to. */
export function alpnBinding(name: string): string {
  return `acme/tls-alpn-01/${name}`;
}
