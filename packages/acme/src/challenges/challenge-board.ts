import { normalName } from '../names/name-kind.ts';

/** Certificates that respond to tls-alpn-01, one for each kind of key, with their keys, all PEM. */
export type AlpnResponse = readonly { readonly certificate: string; readonly privateKey: string }[];

/** The responses to pending challenges, as a proxy looks them up for each request. Only exact matches count. */
export interface ChallengeBoard {
  /** Body of the response to `GET /.well-known/acme-challenge/<token>`; `undefined`: no pending challenge of that host. */
  challengeResponse(host: string, token: string): string | undefined;
  alpnResponse(serverName: string): AlpnResponse | undefined;
}

/** What a worker receives. */
export interface OpenChallengeResponses {
  readonly http: readonly (readonly [host: string, token: string, body: string])[];
  readonly alpn: readonly (readonly [serverName: string, response: AlpnResponse])[];
}

export const noChallengeResponses: OpenChallengeResponses = { http: [], alpn: [] };

export function challengeBoard({ http, alpn }: OpenChallengeResponses): ChallengeBoard {
  const bodies = new Map(http.map(([host, token, body]) => [`${host}/${token}`, body]));
  const certificates = new Map(alpn);
  return {
    challengeResponse: (host, token) => bodies.get(`${normalName(host)}/${token}`),
    alpnResponse: (serverName) => certificates.get(serverName.toLowerCase().replace(/\.$/, '')),
  };
}
