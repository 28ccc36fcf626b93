import { normalName } from '../names/name-kind.ts';

/** Certificates that answer tls-alpn-01, one for each kind of key, with their keys, all PEM. */
export type AlpnAnswer = readonly { readonly certificate: string; readonly privateKey: string }[];

/** The answers to pending challenges, as a proxy looks them up for each request. Only exact matches count. */
export interface AnswerBoard {
  /** Body of the response to `GET /.well-known/acme-challenge/<token>`; `undefined`: no pending challenge of that host. */
  challengeAnswer(host: string, token: string): string | undefined;
  alpnAnswer(serverName: string): AlpnAnswer | undefined;
}

/** What a worker is told. */
export interface OpenAnswers {
  readonly http: readonly (readonly [host: string, token: string, body: string])[];
  readonly alpn: readonly (readonly [serverName: string, answer: AlpnAnswer])[];
}

export const noAnswers: OpenAnswers = { http: [], alpn: [] };

export function answerBoard({ http, alpn }: OpenAnswers): AnswerBoard {
  const bodies = new Map(http.map(([host, token, body]) => [`${host}/${token}`, body]));
  const certificates = new Map(alpn);
  return {
    challengeAnswer: (host, token) => bodies.get(`${normalName(host)}/${token}`),
    alpnAnswer: (serverName) => certificates.get(serverName.toLowerCase().replace(/\.$/, '')),
  };
}
