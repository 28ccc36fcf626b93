import { normalName } from '../names/name-kind.ts';

/** A certificate that answers tls-alpn-01, with its key, both PEM. */
export interface AlpnAnswer {
  readonly certificate: string;
  readonly privateKey: string;
}

/** The answers to pending challenges, as a proxy looks them up for each request. Only exact matches count. */
export interface AnswerBoard {
  /** Body of the response to `GET /.well-known/acme-challenge/<token>`; `undefined`: no pending challenge of that host. */
  challengeAnswer(host: string, token: string): string | undefined;
  alpnAnswer(serverName: string): AlpnAnswer | undefined;
}

/** What a worker is told: without seals, because workers do not have the key. */
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
