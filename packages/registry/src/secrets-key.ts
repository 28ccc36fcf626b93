import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readRegularFile, UsageError } from '@swarmgate/runtime';
import { type SecretsKey, secretsKeyOf } from './definition/seal-certificate.ts';

/**
 * The keys of `SECRETS_KEY`, the first one seals. Not set: with the embedded registry one is made in `DATA_DIR`, readable
 * by its owner only; with Consul there is none, because every listener and proxy needs the same.
 * @throws UsageError `settings-invalid` for a key that is not 32 bytes in base64, or more than two.
 */
export async function loadSecretsKeys(options: {
  readonly secretsKey: readonly string[] | undefined;
  readonly registry: 'consul' | 'embedded';
  readonly dataDir: string;
}): Promise<readonly SecretsKey[]> {
  if (options.secretsKey !== undefined && options.secretsKey.length > 0)
    return keysOf(options.secretsKey, 'SECRETS_KEY');
  if (options.registry === 'consul') return [];
  const file = join(options.dataDir, 'secrets-key');
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  try {
    // `wx` decides between two processes that start at once: one makes it, both read it.
    await writeFile(file, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  return keysOf([await readRegularFile(file)], file);
}

function keysOf(texts: readonly string[], from: string): readonly SecretsKey[] {
  const keys = texts.map(secretsKeyOf).filter((key) => key !== undefined);
  if (keys.length !== texts.length || keys.length > 2)
    throw new UsageError(
      'settings-invalid',
      `${from}=(secret): expected 32 bytes in base64, or two such keys with a comma between during a rotation (openssl rand -base64 32)`,
    );
  return keys;
}
