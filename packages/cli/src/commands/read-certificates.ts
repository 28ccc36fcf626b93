import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { messageOf, UsageError } from '@swarmgate/runtime/errors';

/** A certificate of another program: with its key as one PEM, or why there is none. */
export type FoundCertificate =
  | {
      /** Its host, folder or file. */
      readonly from: string;
      readonly pem: string;
    }
  | { readonly from: string; readonly why: string };

/**
 * Certificates of Traefik's acme.json, of a certbot folder (`/etc/letsencrypt`, its `live`, or one certificate's folder in
 * it), or of a PEM file that holds both. An entry that cannot be used is named, and costs itself alone.
 * @throws UsageError `file-unreadable` for anything else
 */
export function readCertificates(path: string): readonly FoundCertificate[] {
  let found: readonly FoundCertificate[];
  try {
    found = statSync(path).isDirectory() ? readCertbotFolder(path) : readCertificateFile(path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError('file-unreadable', `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  if (found.length === 0)
    throw new UsageError(
      'file-unreadable',
      `${path} holds no certificate with its private key: neither Traefik's acme.json, nor a certbot folder, nor a PEM file`,
    );
  return found;
}

function readCertificateFile(path: string): readonly FoundCertificate[] {
  const text = readFileSync(path, 'utf8');
  if (text.includes('-----BEGIN ')) return [{ from: path, pem: text }];
  const json = parseJson(path, text);
  if (!isRecord(json)) return [];
  // Traefik 2 and 3 keep one entry for each resolver, Traefik 1 had a single one.
  const resolvers = [['acme.json', json] as const, ...Object.entries(json)];
  return resolvers.flatMap(([resolver, value]) => {
    const entries = isRecord(value) && Array.isArray(value.Certificates) ? value.Certificates : [];
    return entries.map((entry: unknown, at) => readEntry(entry, `certificate ${at + 1} of ${resolver}`));
  });
}

/** @throws UsageError that states what to give instead */
function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(
      'file-unreadable',
      `${path} is neither PEM nor JSON (${text.trim() === '' ? 'the file is empty' : 'the text cannot be parsed, or was cut'}): copy Traefik's acme.json once more while Traefik does not write it, or name a PEM file with certificate and key`,
      { cause: error },
    );
  }
}

function readEntry(entry: unknown, place: string): FoundCertificate {
  if (!isRecord(entry)) return { from: place, why: 'it is no object with domain, certificate and key' };
  const domain = entry.domain ?? entry.Domain;
  const main = isRecord(domain) ? (domain.main ?? domain.Main) : undefined;
  const from = typeof main === 'string' && main !== '' ? main : place;
  const missing = (
    [
      ['certificate', entry.certificate ?? entry.Certificate],
      ['key', entry.key ?? entry.Key],
    ] as const
  ).find(([, value]) => typeof value !== 'string' || value === '');
  if (missing !== undefined)
    return { from, why: `it has no ${missing[0]}: remove the entry, or import a PEM file with certificate and key` };
  const parts = [entry.certificate ?? entry.Certificate, entry.key ?? entry.Key];
  return { from, pem: parts.map((part) => Buffer.from(String(part), 'base64').toString('utf8').trim()).join('\n') };
}

const pair = ['fullchain.pem', 'privkey.pem'] as const;

/** certbot's `fullchain.pem` and `privkey.pem`, in the folder itself or in those below `live`. */
function readCertbotFolder(path: string): readonly FoundCertificate[] {
  const entries = readdirSync(path);
  const present = pair.filter((file) => entries.includes(file));
  if (present.length > 0) return [readPair(path, entries)];
  const below = entries.includes('live') ? ['live'] : entries;
  return below
    .map((entry) => join(path, entry))
    .filter((folder) => statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true)
    .flatMap((folder) => readCertbotFolder(folder));
}

function readPair(path: string, entries: readonly string[]): FoundCertificate {
  const from = basename(path);
  const missing = pair.find((file) => !entries.includes(file));
  if (missing !== undefined) return { from, why: `${path} has no ${missing}: copy it too` };
  try {
    return { from, pem: pair.map((file) => readFileSync(join(path, file), 'utf8').trim()).join('\n') };
  } catch (error) {
    return { from, why: `it cannot be read (${messageOf(error)}): copy the folder with its archive, as root` };
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
