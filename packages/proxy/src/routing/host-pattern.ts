import { isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import type { ServiceDomainAlgo } from '@swarmgate/registry';
import { normalizeHost } from './normal-host.ts';

/** What a `serviceDomain` requires of a host in normal form. `text` is in normal form too. */
export type HostPattern =
  | { readonly kind: 'any' }
  /** `shop.example` */
  | { readonly kind: 'exact'; readonly text: string }
  /** `*.shop.example`: `text` is `.shop.example`, so it holds at a label border only and not for the domain itself. */
  | { readonly kind: 'wildcard'; readonly text: string }
  /** `*shop.example`, Docker Flow's meaning: any host that ends so, `myshop.example` too. */
  | { readonly kind: 'suffix'; readonly text: string }
  /** `hdr_beg(host)`, `hdr_end(host)`, and `hdr_dom(host)`: whole labels anywhere in the host. */
  | { readonly kind: 'beg' | 'end' | 'dom'; readonly text: string };

export const anyHost: HostPattern = { kind: 'any' };

/** `undefined`: no host can ever fit the text. */
export function parseHostPattern(raw: string, algo: ServiceDomainAlgo | undefined): HostPattern | undefined {
  const text = raw.trim();
  if (text === '*') return anyHost;
  if (text.startsWith('*.')) return named('wildcard', text.slice(2), '.');
  if (text.startsWith('*')) return named('suffix', text.slice(1));
  switch (algo) {
    case 'hdr_beg(host)':
      return fragment('beg', text);
    case 'hdr_end(host)':
      return fragment('end', text);
    case 'hdr_dom(host)':
      return named('dom', text);
    default:
      return named('exact', text);
  }
}

export function hostMatches(pattern: HostPattern, host: string): boolean {
  switch (pattern.kind) {
    case 'any':
      return true;
    case 'exact':
      return host === pattern.text;
    case 'wildcard':
      return host.length > pattern.text.length && host.endsWith(pattern.text);
    case 'suffix':
    case 'end':
      return host.endsWith(pattern.text);
    case 'beg':
      return host.startsWith(pattern.text);
    case 'dom':
      return `.${host}.`.includes(`.${pattern.text}.`);
  }
}

/** As written in the label. */
export function showHost(pattern: HostPattern): string {
  switch (pattern.kind) {
    case 'any':
      return 'any host';
    case 'exact':
      return pattern.text;
    case 'wildcard':
    case 'suffix':
      return `*${pattern.text}`;
    default:
      return `hdr_${pattern.kind}(${pattern.text})`;
  }
}

function named(kind: Exclude<HostPattern['kind'], 'any'>, name: string, before = ''): HostPattern | undefined {
  // A label may hold the name as its owner reads it (`bücher.example`); requests carry the ASCII form.
  const ascii = /^[ -~]*$/.test(name) ? name : domainToASCII(name);
  const normal = normalizeHost(isIPv6(ascii) ? `[${ascii}]` : ascii);
  return normal.ok ? { kind, text: before + normal.host } : undefined;
}

/** Part of a name: it may begin or end inside a label. */
function fragment(kind: 'beg' | 'end', text: string): HostPattern | undefined {
  const lower = text.toLowerCase().replace(/:[0-9]+$/, '');
  return /^[a-z0-9._-]+$/.test(lower) ? { kind, text: lower } : undefined;
}
