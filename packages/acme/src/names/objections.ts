import { isPublicAddress, nameKind } from './name-kind.ts';

/** Why no CA gives a certificate for a name, and what to do. */
export interface Objection {
  readonly reason: `acme-${string}`;
  readonly message: string;
  readonly suggestion: string;
}

export interface NameAbilities {
  /** A way to put records into the name's zone is configured. */
  readonly dns: boolean;
  /** A public CA, which keeps to the public DNS; a private directory may certify other names. */
  readonly publicCa: boolean;
}

const notPublic = /(?:^|\.)(?:localhost|local|internal|intranet|lan|home|corp|test|invalid|example|onion|home\.arpa)$/;
const label = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;

/** `undefined`: the name can be ordered. */
export function objectionTo(name: string, abilities: NameAbilities): Objection | undefined {
  const kind = nameKind(name);
  if (kind === 'ip') {
    return isPublicAddress(name)
      ? undefined
      : refuse('private-address', `${name} is a private address`, 'give the service a DNS name');
  }
  const plain = kind === 'wildcard' ? name.slice(2) : name;
  if (plain === 'localhost' || plain.endsWith('.localhost'))
    return refuse('localhost', `${name} is this machine itself`, 'give the service a DNS name');
  if (!plain.includes('.'))
    return refuse('single-label', `${name} has no domain`, `use a full name, such as ${plain}.example.com`);
  const labels = plain.split('.');
  if (plain.length > 253 || !labels.every((each) => label.test(each)))
    return refuse(
      'malformed',
      `${name} is no DNS name that a certificate can hold`,
      'use letters, digits and hyphens, at most 63 characters between two dots',
    );
  if (/^\d+$/.test(labels.at(-1) ?? ''))
    return refuse('malformed', `${name} ends with a number`, 'use a DNS name or a whole address');
  if (abilities.publicCa && notPublic.test(plain))
    return refuse(
      'not-public',
      `${name} is not in the public DNS, and public CAs certify no other names`,
      'use a public name, a CA of your own (ACME_DIRECTORY=<url>), or acme=false on the service',
    );
  if (kind === 'wildcard' && !abilities.dns)
    return refuse(
      'wildcard-without-dns',
      `${name} is a wildcard, which CAs prove by DNS alone`,
      'set ACME_CHALLENGE=dns-01 with ACME_DNS_WEBHOOK, ACME_DNS_SERVER or ACME_CLOUDFLARE_TOKEN, or name the hosts one by one',
    );
  return undefined;
}

function refuse(reason: string, message: string, suggestion: string): Objection {
  return { reason: `acme-${reason}`, message: `no certificate can be ordered: ${message}`, suggestion };
}
