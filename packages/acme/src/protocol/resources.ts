import { isRecord } from './acme-error.ts';
import { isUrl } from './ca-url.ts';

/** Resources of a CA as this client uses them (RFC 8555, section 7.1). */
export interface Directory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  /** Base of the renewal information (RFC 9773, section 3); absent where the CA has none. */
  readonly renewalInfo?: string;
  /** Names of the profiles that orders may name; empty where the CA has none. */
  readonly profiles: readonly string[];
  readonly externalAccountRequired: boolean;
  readonly termsOfService?: string;
}

export interface Identifier {
  readonly type: 'dns' | 'ip';
  readonly value: string;
}

export interface Order {
  readonly status: 'pending' | 'ready' | 'processing' | 'valid' | 'invalid';
  readonly authorizations: readonly string[];
  readonly finalize: string;
  readonly certificate?: string;
  readonly error?: unknown;
}

export interface Authorization {
  readonly status: 'pending' | 'valid' | 'invalid' | 'deactivated' | 'expired' | 'revoked';
  /** The name; for a wildcard without `*.` */
  readonly identifier: Identifier;
  readonly wildcard: boolean;
  readonly challenges: readonly Challenge[];
}

export interface Challenge {
  readonly type: string;
  readonly url: string;
  readonly status: 'pending' | 'processing' | 'valid' | 'invalid';
  readonly token?: string;
  readonly error?: unknown;
}

/** When the CA suggests to renew (RFC 9773, section 4.2). Times in milliseconds since the epoch. */
export interface RenewalWindow {
  readonly startMs: number;
  readonly endMs: number;
  readonly explanationUrl?: string;
}

/** A resource and the CA's own time for the next look. */
export interface Polled<T> {
  readonly resource: T;
  readonly retryAfterMs?: number;
}

const orderStatuses = ['pending', 'ready', 'processing', 'valid', 'invalid'] as const;
const authorizationStatuses = ['pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked'] as const;
const challengeStatuses = ['pending', 'processing', 'valid', 'invalid'] as const;

/** Each reads one response; `undefined` where it is not what RFC 8555 describes. */
export function readDirectory(json: unknown): Directory | undefined {
  if (!isRecord(json)) return undefined;
  const { newNonce, newAccount, newOrder, renewalInfo, meta } = json;
  if (!isUrl(newNonce) || !isUrl(newAccount) || !isUrl(newOrder)) return undefined;
  const terms = isRecord(meta) ? meta.termsOfService : undefined;
  return {
    newNonce,
    newAccount,
    newOrder,
    ...(isUrl(renewalInfo) ? { renewalInfo: renewalInfo.replace(/\/$/, '') } : {}),
    profiles: isRecord(meta) && isRecord(meta.profiles) ? Object.keys(meta.profiles) : [],
    externalAccountRequired: isRecord(meta) && meta.externalAccountRequired === true,
    ...(typeof terms === 'string' ? { termsOfService: terms } : {}),
  };
}

export function readOrder(json: unknown): Order | undefined {
  if (!isRecord(json)) return undefined;
  const { authorizations, finalize, certificate, error } = json;
  const status = oneOf(orderStatuses, json.status);
  if (status === undefined || !Array.isArray(authorizations) || !authorizations.every(isUrl) || !isUrl(finalize))
    return undefined;
  return {
    status,
    authorizations,
    finalize,
    ...(isUrl(certificate) ? { certificate } : {}),
    ...(error === undefined ? {} : { error }),
  };
}

export function readAuthorization(json: unknown): Authorization | undefined {
  if (!isRecord(json) || !isRecord(json.identifier) || !Array.isArray(json.challenges)) return undefined;
  const status = oneOf(authorizationStatuses, json.status);
  const { type, value } = json.identifier;
  if (status === undefined || (type !== 'dns' && type !== 'ip') || typeof value !== 'string') return undefined;
  return {
    status,
    identifier: { type, value: value.toLowerCase() },
    wildcard: json.wildcard === true,
    challenges: json.challenges.map(readChallenge).filter((each) => each !== undefined),
  };
}

export function readChallenge(json: unknown): Challenge | undefined {
  if (!isRecord(json) || typeof json.type !== 'string' || !isUrl(json.url)) return undefined;
  const { token, error } = json;
  return {
    type: json.type,
    url: json.url,
    status: oneOf(challengeStatuses, json.status) ?? 'pending',
    // RFC 8555, section 8.3: anything else would make a path, a DNS value or a log line out of what the CA sent.
    ...(typeof token === 'string' && /^[A-Za-z0-9_-]{1,256}$/.test(token) ? { token } : {}),
    ...(error === undefined ? {} : { error }),
  };
}

export function readRenewalWindow(json: unknown): RenewalWindow | undefined {
  if (!isRecord(json) || !isRecord(json.suggestedWindow)) return undefined;
  const { start, end } = json.suggestedWindow;
  const startMs = typeof start === 'string' ? Date.parse(start) : Number.NaN;
  const endMs = typeof end === 'string' ? Date.parse(end) : Number.NaN;
  if (Number.isNaN(startMs) || Number.isNaN(endMs) || endMs <= startMs) return undefined;
  const { explanationURL } = json;
  return { startMs, endMs, ...(isUrl(explanationURL) ? { explanationUrl: explanationURL } : {}) };
}

function oneOf<const T extends string>(allowed: readonly T[], value: unknown): T | undefined {
  return allowed.find((each) => each === value);
}
