import { domainToASCII } from 'node:url';
import { splitList, texts } from './lists.ts';
import { not, type ParsedLabel, type ParseOptions, type Value } from './value.ts';

/**
 * Host names and wildcards, in lower case, international names in their ASCII form. A trailing dot stays: with
 * `hdr_beg(host)` it is part of the prefix (`api.`).
 */
export const domains: Value<readonly string[]> = { parse: parseDomains, schema: texts.schema };

function parseDomains(raw: string, options: ParseOptions): ParsedLabel<readonly string[]> {
  const found: string[] = [];
  const oldWildcards: string[] = [];
  const withPort: string[] = [];
  for (const part of splitList(raw, options)) {
    const port = /:\d{1,5}$/.exec(part);
    if (port !== null && !part.startsWith('[')) withPort.push(part);
    const domain = toAscii(port === null || part.startsWith('[') ? part : part.slice(0, port.index));
    if (domain === undefined) return not('host names such as shop.example or *.shop.example');
    if (/^\*[^.]/.test(domain)) oldWildcards.push(domain);
    found.push(domain);
  }
  if (found.length === 0) return not('at least one host name');
  const [wildcard] = oldWildcards;
  if (wildcard !== undefined) {
    return {
      ok: true,
      value: found,
      warning: {
        reason: 'wildcard-without-dot',
        message: `${wildcard} matches every name that ends so, also my${wildcard.slice(1)}`,
        suggestion: `write *.${wildcard.slice(1)} to match whole labels only`,
      },
    };
  }
  const [ported] = withPort;
  if (ported !== undefined) {
    return {
      ok: true,
      value: found,
      warning: {
        reason: 'domain-with-port',
        message: `the port of ${ported} is left out, because hosts are compared without it`,
        suggestion: 'use srcPort for the port clients connect to',
      },
    };
  }
  return { ok: true, value: found };
}

function toAscii(domain: string): string | undefined {
  const lower = domain.toLowerCase();
  if (/^\[[0-9a-f:.]+\]$/.test(lower)) return lower;
  const wildcard = lower.startsWith('*') ? '*' : '';
  const rest = lower.slice(wildcard.length);
  const ascii = /^[\x20-\x7e]*$/.test(rest)
    ? rest
    : (wildcard === '' ? '' : rest.startsWith('.') ? '.' : '') + domainToASCII(rest.replace(/^\./, ''));
  const valid = wildcard === '' ? /^[a-z0-9_.-]+$/.test(ascii) : /^[a-z0-9_.-]*$/.test(ascii);
  return valid ? wildcard + ascii : undefined;
}
