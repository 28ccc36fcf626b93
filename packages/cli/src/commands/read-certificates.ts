import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, UsageError } from '@swarmgate/runtime';

/**
 * Certificates with their keys, each as one PEM: of Traefik's acme.json, of a certbot folder (`/etc/letsencrypt`, its
 * `live`, or one certificate's folder in it), or of a PEM file that holds both.
 * @throws UsageError `file-unreadable` for anything else
 */
export function readCertificates(path: string): readonly string[] {
  let found: readonly string[];
  try {
    found = statSync(path).isDirectory() ? readCertbotFolder(path) : readCertificateFile(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError('file-unreadable', `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  if (found.length === 0)
    throw new UsageError(
      'file-unreadable',
      `${path} holds no certificate with its private key: neither Traefik's acme.json, nor a certbot folder, nor a PEM file`,
    );
  return found;
}

function readCertificateFile(text: string): readonly string[] {
  if (text.includes('-----BEGIN ')) return [text];
  const json: unknown = JSON.parse(text);
  if (!isRecord(json)) return [];
  // Traefik 2 and 3 keep one entry for each resolver, Traefik 1 had a single one.
  const resolvers = [json, ...Object.values(json)].filter(isRecord);
  return resolvers.flatMap(({ Certificates }) =>
    (Array.isArray(Certificates) ? Certificates.filter(isRecord) : []).flatMap((each) => {
      const certificate = each.certificate ?? each.Certificate;
      const key = each.key ?? each.Key;
      if (typeof certificate !== 'string' || typeof key !== 'string') return [];
      return [[certificate, key].map((part) => Buffer.from(part, 'base64').toString('utf8').trim()).join('\n')];
    }),
  );
}

/** certbot's `fullchain.pem` and `privkey.pem`, in the folder itself or in those below `live`. */
function readCertbotFolder(path: string): readonly string[] {
  const entries = readdirSync(path);
  if (entries.includes('fullchain.pem') && entries.includes('privkey.pem'))
    return [['fullchain.pem', 'privkey.pem'].map((file) => readFileSync(join(path, file), 'utf8').trim()).join('\n')];
  const below = entries.includes('live') ? ['live'] : entries;
  return below
    .map((entry) => join(path, entry))
    .filter((folder) => statSync(folder).isDirectory())
    .flatMap((folder) => readCertbotFolder(folder));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
