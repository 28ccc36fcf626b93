import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

/** How long a login of the console lasts, in milliseconds. */
export const sessionMs = 12 * 3_600_000;

/** Keys a session's signature. Every replica with the same `ADMIN_TOKEN` has the same; a new token ends all sessions. */
export function sessionKey(adminToken: string): Buffer {
  return Buffer.from(hkdfSync('sha256', adminToken, '', 'swarmgate console session', 32));
}

export interface IssuedSession {
  /** `<end in base 36>.<16 random bytes>.<signature>`, all of it safe in a cookie. */
  readonly value: string;
  readonly endsAtMs: number;
}

export function issueSession(
  key: Buffer,
  nowMs: number,
  random: (bytes: number) => Buffer = randomBytes,
): IssuedSession {
  // In whole seconds, so that the value and the cookie's Max-Age end together.
  const endsAtMs = Math.floor((nowMs + sessionMs) / 1_000) * 1_000;
  const signed = `${(endsAtMs / 1_000).toString(36)}.${random(16).toString('base64url')}`;
  return { value: `${signed}.${signatureOf(key, signed)}`, endsAtMs };
}

const form = /^([0-9a-z]{1,8})\.[\w-]{22}\.([\w-]{43})$/;

/** Whether a text has the form of a session's value, signed or not. */
export function isSessionValue(text: string): boolean {
  return form.test(text);
}

/** When a session ends, in milliseconds since 1970; `undefined` for one that has ended, or that this key did not sign. */
export function endOfSession(key: Buffer, value: string, nowMs: number): number | undefined {
  const found = form.exec(value);
  if (found === null) return undefined;
  const [whole, end = '', signature = ''] = found;
  const signed = whole.slice(0, whole.length - signature.length - 1);
  if (!timingSafeEqual(Buffer.from(signature), Buffer.from(signatureOf(key, signed)))) return undefined;
  const endsAtMs = Number.parseInt(end, 36) * 1_000;
  return endsAtMs > nowMs && endsAtMs <= nowMs + sessionMs ? endsAtMs : undefined;
}

/** What stands in the registry for a session that was logged out: it cannot be turned back into the session. */
export function sessionHash(value: string): string {
  return createHash('sha256').update(value).digest('hex');
}

function signatureOf(key: Buffer, signed: string): string {
  return createHmac('sha256', key).update(signed).digest('base64url');
}
