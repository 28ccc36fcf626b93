import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { SecretsKey } from './seal-certificate.ts';

/**
 * A secret text as the registry may hold it: `sealed:v1:<key id>:<iv>:<tag>:<ciphertext>` (base64url), AES-256-GCM. It
 * opens only for the same `boundTo`, so that it cannot be moved to another place. The first key seals.
 */
export function sealSecret(text: string, boundTo: string, keys: readonly [SecretsKey, ...SecretsKey[]]): string {
  const [key] = keys;
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key.bytes, iv).setAAD(associated(boundTo));
  const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  const parts = [iv, cipher.getAuthTag(), ciphertext].map((part) => part.toString('base64url'));
  return `sealed:v1:${key.id}:${parts.join(':')}`;
}

/** `undefined`: sealed with another key, for another place, or changed. */
export function openSecret(sealed: string, boundTo: string, keys: readonly SecretsKey[]): string | undefined {
  const match = /^sealed:v1:([0-9a-f]{8}):([\w-]+):([\w-]+):([\w-]+)$/.exec(sealed);
  if (match === null) return undefined;
  const [, keyId = '', iv = '', tag = '', ciphertext = ''] = match;
  const key = keys.find(({ id }) => id === keyId);
  if (key === undefined) return undefined;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key.bytes, Buffer.from(iv, 'base64url'), { authTagLength: 16 })
      .setAAD(associated(boundTo))
      .setAuthTag(Buffer.from(tag, 'base64url'));
    return decipher.update(ciphertext, 'base64url', 'utf8') + decipher.final('utf8');
  } catch {
    return undefined;
  }
}

function associated(boundTo: string): Buffer {
  return createHash('sha256').update(`swarmgate secret\0${boundTo}`).digest();
}
