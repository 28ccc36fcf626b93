import { isPublicAddress, nameKind, normalName } from '../names/name-kind.ts';

const localSuffix = /(?:^|\.)(?:localhost|local|internal|intranet|lan|home|corp|home\.arpa)$/;

/** An absolute https URL without a user. RFC 8555, section 6.1: a CA is reached over https alone. */
export function isUrl(value: unknown): value is string {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  return url?.protocol === 'https:' && url.username === '' && url.password === '';
}

/**
 * What is wrong with a URL that a CA gave; `undefined`: it may be called. Other hosts are allowed, because CAs use several
 * of one site. Those that only this network can reach are allowed where the directory's own host is one: a public CA must
 * not lead requests to a neighbour of this proxy. Hosts are judged as written; a name is not resolved for that.
 */
export function objectionToUrl(value: string, directoryUrl: string): string | undefined {
  if (!isUrl(value)) return 'not an absolute https URL';
  const { hostname } = new URL(value);
  const own = new URL(directoryUrl).hostname;
  if (hostname === own || !isLocal(hostname) || isLocal(own)) return undefined;
  return `${hostname} is a private host, and ${own}, the host of the directory, is none`;
}

function isLocal(hostname: string): boolean {
  const name = normalName(hostname);
  if (nameKind(name) === 'ip') return !isPublicAddress(name);
  return !name.includes('.') || localSuffix.test(name);
}
