import { isIP } from 'node:net';
import { knownDirectories } from './acme-directories.ts';
import { list, oneOf, type Parsed, text } from './parsers.ts';
import { given, optional, serving } from './setting.ts';

const directoryNames = Object.keys(knownDirectories);
const challenges = ['http-01', 'tls-alpn-01', 'dns-01'] as const;

/** Certificates by ACME. Nothing is ordered without `ACME_DIRECTORY`. */
export const acmeSettings = {
  acmeDirectory: optional({
    env: ['ACME_DIRECTORY'],
    parse: directories,
    usedBy: serving,
    meaning:
      'Order certificates there: `letsencrypt`, `letsencrypt-staging`, `zerossl`, `google` or the `https://` URL of a directory; a comma list is tried in turn. `import`: none are ordered, and those that were imported or ordered before are served. Not set: none are ordered or served',
  }),
  acmeEmail: optional({
    env: ['ACME_EMAIL'],
    parse: emailAddress,
    usedBy: serving,
    meaning: 'Contact of the account at the CA',
  }),
  acmeEabKid: optional({
    env: ['ACME_EAB_KID'],
    parse: text,
    secret: true,
    usedBy: serving,
    meaning: 'Key identifier of the external account (ZeroSSL, Google); for several issuers `zerossl=<id>,google=<id>`',
  }),
  acmeEabHmac: optional({
    env: ['ACME_EAB_HMAC'],
    parse: text,
    secret: true,
    usedBy: serving,
    meaning: 'Key of the external account in base64url; for several issuers as `ACME_EAB_KID`',
  }),
  acmeCaFile: optional({
    env: ['ACME_CA_FILE'],
    parse: text,
    pathOf: 'pem-file',
    usedBy: serving,
    meaning: 'File with the authority of the directory’s own TLS certificate, for a CA of your own',
  }),
  acmeProfile: optional({
    env: ['ACME_PROFILE'],
    parse: text,
    usedBy: serving,
    meaning: 'Profile to order, where the directory has it: `tlsserver`, `shortlived`',
  }),
  acmeChallenge: given({
    env: ['ACME_CHALLENGE'],
    parse: challengeList,
    default: 'http-01',
    usedBy: serving,
    meaning: 'How control of a name is proved: `http-01`, `tls-alpn-01`, `dns-01`; a comma list is tried in turn',
  }),
  acmeDomains: given({
    env: ['ACME_DOMAINS'],
    parse: hostPatterns,
    default: '',
    usedBy: serving,
    meaning: 'Host names that may be ordered; `*.example.com` allows every name below it. Empty: all',
  }),
  acmeDnsWebhook: optional({
    env: ['ACME_DNS_WEBHOOK'],
    parse: webUrl,
    secret: true,
    usedBy: serving,
    meaning: 'For dns-01: POST `/present` and `/cleanup` with `{fqdn, value}` (the contract of lego’s `httpreq`)',
  }),
  acmeDnsServer: optional({
    env: ['ACME_DNS_SERVER'],
    parse: serverAddress,
    usedBy: serving,
    meaning: 'For dns-01: server that takes updates (RFC 2136), `host` or `host:port`',
  }),
  acmeDnsTsig: optional({
    env: ['ACME_DNS_TSIG'],
    parse: tsigKey,
    secret: true,
    usedBy: serving,
    meaning: 'Key that signs those updates: `name:secret` or `hmac-sha512:name:secret`, the secret in base64',
  }),
  acmeCloudflareToken: optional({
    env: ['ACME_CLOUDFLARE_TOKEN'],
    parse: text,
    secret: true,
    usedBy: serving,
    meaning: 'For dns-01: API token of Cloudflare that may edit DNS',
  }),
  acmeDnsCredentials: optional({
    env: ['ACME_DNS_CREDENTIALS'],
    parse: dnsCredentials,
    secret: true,
    usedBy: serving,
    meaning:
      'For dns-01: a JSON list of providers by domain, such as `[{"provider":"cloudflare","domains":["example.com"],"token":"…"}]`',
  }),
  acmeDnsResolvers: given({
    env: ['ACME_DNS_RESOLVERS'],
    parse: list,
    default: '',
    usedBy: serving,
    meaning: 'Resolvers that find a zone’s servers, `address` or `address:port`. Empty: those of the system',
  }),
} as const;

/** `import`: no directory at all. */
function directories(raw: string): Parsed<readonly string[]> {
  if (raw.trim() === 'import') return { ok: true, value: [] };
  const entries = raw.split(',').map((each) => each.trim());
  const isUsable = (each: string) => directoryNames.includes(each) || URL.parse(each)?.protocol === 'https:';
  const wrong = entries.find((each, at) => !isUsable(each) || entries.indexOf(each) !== at);
  return wrong === undefined
    ? { ok: true, value: entries }
    : {
        ok: false,
        expected: `import, or a comma list of ${directoryNames.join(', ')} or https:// URLs, each once, not ${JSON.stringify(wrong)}`,
      };
}

/** Names and `*.` before names; anything else would match no host at all. */
function hostPatterns(raw: string): Parsed<readonly string[]> {
  const parsed = list(raw);
  const wrong = parsed.ok ? parsed.value.find((each) => isIP(each) === 0 && !hostPattern.test(each)) : undefined;
  return wrong === undefined
    ? parsed
    : { ok: false, expected: `hosts such as example.com or *.example.com, not ${JSON.stringify(wrong)}` };
}

const hostPattern = /^(?:\*\.)?[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)*\.?$/u;

function challengeList(raw: string): Parsed<readonly (typeof challenges)[number][]> {
  const parsed = raw.split(',').map((each) => oneOf(...challenges)(each.trim()));
  const values = parsed.flatMap((each) => (each.ok ? [each.value] : []));
  return values.length === parsed.length
    ? { ok: true, value: [...new Set(values)] }
    : { ok: false, expected: challenges.join(', ') };
}

function emailAddress(raw: string): Parsed<string> {
  const address = raw.replace(/^mailto:/, '');
  return /^[^\s@,]+@[^\s@,]+$/.test(address)
    ? { ok: true, value: address }
    : { ok: false, expected: 'one address such as ops@example.com' };
}

function webUrl(raw: string): Parsed<string> {
  return ['http:', 'https:'].includes(URL.parse(raw)?.protocol ?? '')
    ? { ok: true, value: raw }
    : { ok: false, expected: 'an http or https URL' };
}

function serverAddress(raw: string): Parsed<string> {
  return /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?$/.test(raw)
    ? { ok: true, value: raw }
    : { ok: false, expected: 'host or host:port' };
}

function tsigKey(raw: string): Parsed<string> {
  return /^(?:hmac-sha(?:1|256|384|512):)?[A-Za-z0-9._-]+:[A-Za-z0-9+/_-]+={0,2}$/.test(raw.trim())
    ? { ok: true, value: raw.trim() }
    : { ok: false, expected: 'name:secret or hmac-sha256:name:secret, the secret in base64' };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** What each provider of `ACME_DNS_CREDENTIALS` needs, and whether it has it. */
const dnsProviders: Readonly<Record<string, readonly [fields: string, (entry: Entry) => boolean]>> = {
  rfc2136: [
    'server, and perhaps tsig',
    ({ server, tsig }) =>
      isText(server) && serverAddress(server).ok && (tsig === undefined || (isText(tsig) && tsigKey(tsig).ok)),
  ],
  webhook: ['url', ({ url }) => isText(url) && webUrl(url).ok],
  cloudflare: ['token', ({ token }) => isText(token)],
};

type Entry = Readonly<Record<string, unknown>>;

/** Names the entry that is wrong and its provider, and shows nothing else of it. */
function dnsCredentials(raw: string): Parsed<string> {
  const names = Object.keys(dnsProviders).join(', ');
  let entries: unknown;
  try {
    entries = JSON.parse(raw);
  } catch {
    // Reported below.
  }
  if (!Array.isArray(entries))
    return { ok: false, expected: `a JSON list of objects with provider (${names}) and domains` };
  for (const [at, entry] of entries.entries()) {
    const objection = objectionToEntry(entry, names);
    if (objection !== undefined) return { ok: false, expected: `${objection} in entry ${at + 1}` };
  }
  return { ok: true, value: raw };
}

function objectionToEntry(entry: unknown, names: string): string | undefined {
  if (typeof entry !== 'object' || entry === null) return 'an object';
  const { provider, domains } = entry as Entry;
  const known = isText(provider) && Object.hasOwn(dnsProviders, provider) ? dnsProviders[provider] : undefined;
  if (known === undefined)
    return `a provider of ${names}, not ${isText(provider) ? JSON.stringify(provider.slice(0, 40)) : 'none'},`;
  if (!Array.isArray(domains) || domains.length === 0 || !domains.every(isText))
    return `domains, a list of names, for ${provider}`;
  const [fields, isComplete] = known;
  return isComplete(entry as Entry) ? undefined : `${fields} for ${provider}`;
}
