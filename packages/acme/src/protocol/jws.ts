import { createHash, createHmac, createPublicKey, type KeyObject, sign } from 'node:crypto';

/** The public part of an account key, P-256, as JWS headers carry it (RFC 7517). */
export interface PublicJwk {
  readonly crv: 'P-256';
  readonly kty: 'EC';
  readonly x: string;
  readonly y: string;
}

/** A flattened JWS (RFC 7515, section 7.2.2), the body of every ACME request. */
export interface FlattenedJws {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

export interface JwsHeader {
  readonly url: string;
  readonly nonce: string;
  /** The account's URL; absent for newAccount, which carries the key itself. */
  readonly kid?: string;
}

/** @throws TypeError for a key that is not P-256 */
export function publicJwk(key: KeyObject): PublicJwk {
  const { crv, kty, x, y } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  if (kty !== 'EC' || crv !== 'P-256' || x === undefined || y === undefined)
    throw new TypeError('an account key is ECDSA P-256');
  return { crv, kty, x, y };
}

/** SHA-256 thumbprint (RFC 7638): the members in lexical order, without white space. */
export function thumbprint(jwk: PublicJwk): string {
  const { crv, kty, x, y } = jwk;
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
}

/** @param payload `undefined` is the empty payload of POST-as-GET (RFC 8555, section 6.3) */
export function signJws(key: KeyObject, header: JwsHeader, payload: object | undefined): FlattenedJws {
  const { kid, nonce, url } = header;
  const identity = kid === undefined ? { jwk: publicJwk(key) } : { kid };
  const protectedPart = encode({ alg: 'ES256', ...identity, nonce, url });
  const payloadPart = payload === undefined ? '' : encode(payload);
  // JWS takes the two numbers of the signature side by side, not DER (RFC 7518, section 3.4).
  const signature = sign('sha256', Buffer.from(`${protectedPart}.${payloadPart}`), { key, dsaEncoding: 'ieee-p1363' });
  return { protected: protectedPart, payload: payloadPart, signature: signature.toString('base64url') };
}

/** Binds an account key to an account that the CA has outside ACME (RFC 8555, section 7.3.4). */
export function bindExternalAccount(
  key: KeyObject,
  account: { readonly kid: string; readonly hmac: string },
  newAccountUrl: string,
): FlattenedJws {
  const protectedPart = encode({ alg: 'HS256', kid: account.kid, url: newAccountUrl });
  const payloadPart = encode(publicJwk(key));
  const signature = createHmac('sha256', Buffer.from(account.hmac, 'base64url'))
    .update(`${protectedPart}.${payloadPart}`)
    .digest('base64url');
  return { protected: protectedPart, payload: payloadPart, signature };
}

/** What proves control of a name: the token and the account key's thumbprint (RFC 8555, section 8.1). */
export function keyAuthorization(token: string, jwk: PublicJwk): string {
  return `${token}.${thumbprint(jwk)}`;
}

/** Value of the TXT record of dns-01 (RFC 8555, section 8.4). */
export function dnsValue(authorization: string): string {
  return createHash('sha256').update(authorization).digest('base64url');
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
