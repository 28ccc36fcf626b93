import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/** One key of `SECRETS_KEY`. `id` identifies the one that sealed something; it reveals nothing about the key. */
export interface SecretsKey {
  readonly id: string;
  readonly bytes: Buffer;
}

/** `undefined` unless the text is 32 bytes in base64. */
export function secretsKeyOf(base64: string): SecretsKey | undefined {
  const bytes = Buffer.from(base64.trim(), 'base64');
  if (bytes.length !== 32 || !/^[+/_0-9A-Za-z-]{43}=?$/.test(base64.trim())) return undefined;
  const id = createHash('sha256').update('swarmgate secrets key id\0').update(bytes).digest('hex').slice(0, 8);
  return { id, bytes };
}

/** A certificate chain and its private key, both PEM. */
export interface CertificatePair {
  readonly certificate: string;
  readonly privateKey: string;
}

/** `undefined` where one of the two is missing. */
export function splitPem(pem: string): CertificatePair | undefined {
  const certificate = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)?.join('\n');
  const privateKey = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[^-]+-----END \1-----/.exec(pem)?.[0];
  return certificate === undefined || privateKey === undefined ? undefined : { certificate, privateKey };
}

/**
 * The certificate stays readable; the key follows as one line
 * `sealed-key:v1:<key id>:<iv>:<tag>:<ciphertext>` (base64url), AES-256-GCM bound to `name` and to the certificate, so
 * that a sealed key cannot be put beside another certificate. The first key seals.
 */
export function sealCertificate(
  pair: CertificatePair,
  name: string,
  keys: readonly [SecretsKey, ...SecretsKey[]],
): string {
  const [key] = keys;
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key.bytes, iv).setAAD(boundTo(name, pair.certificate));
  const ciphertext = Buffer.concat([cipher.update(pair.privateKey, 'utf8'), cipher.final()]);
  const parts = [iv, cipher.getAuthTag(), ciphertext].map((part) => part.toString('base64url'));
  return `${pair.certificate}\nsealed-key:v1:${key.id}:${parts.join(':')}`;
}

export type OpenedCertificate =
  | { readonly ok: true; readonly pair: CertificatePair; readonly keyId: string }
  /** `key-unknown`: sealed with a key that is not among ours. `broken`: changed, or sealed for another name. */
  | { readonly ok: false; readonly reason: 'key-unknown' | 'broken' };

export function openCertificate(sealed: string, name: string, keys: readonly SecretsKey[]): OpenedCertificate {
  const match = /^([\s\S]*-----END CERTIFICATE-----)\s+sealed-key:v1:([0-9a-f]{8}):([\w-]+):([\w-]+):([\w-]+)\s*$/.exec(
    sealed,
  );
  if (match === null) return { ok: false, reason: 'broken' };
  const [, certificate = '', keyId = '', iv = '', tag = '', ciphertext = ''] = match;
  const key = keys.find(({ id }) => id === keyId);
  if (key === undefined) return { ok: false, reason: 'key-unknown' };
  try {
    const decipher = createDecipheriv('aes-256-gcm', key.bytes, Buffer.from(iv, 'base64url'), { authTagLength: 16 })
      .setAAD(boundTo(name, certificate))
      .setAuthTag(Buffer.from(tag, 'base64url'));
    const privateKey = decipher.update(ciphertext, 'base64url', 'utf8') + decipher.final('utf8');
    return { ok: true, pair: { certificate, privateKey }, keyId };
  } catch {
    // OpenSSL reports only that it does not fit: a change, another name, or another certificate.
    return { ok: false, reason: 'broken' };
  }
}

function boundTo(name: string, certificate: string): Buffer {
  return createHash('sha256')
    .update(`swarmgate certificate\0${name}\0`)
    .update(certificate.replace(/\s+/g, ''))
    .digest();
}
