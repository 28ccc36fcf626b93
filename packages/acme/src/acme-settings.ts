import { readFile } from 'node:fs/promises';
import { type Settings, UsageError } from '@swarmgate/runtime';
import { dnsProviders, readCredentials } from './challenges/dns-providers.ts';
import type { SelectionRules } from './names/select-names.ts';
import type { ExternalAccount } from './ordering/account-access.ts';
import type { OrdererOptions } from './ordering/orderer-options.ts';
import { type Issuer, issuerOf, writtenAs } from './orders/issuers.ts';

export type AcmeSettings = Pick<
  Settings,
  | 'acmeDirectory'
  | 'acmeEmail'
  | 'acmeEabKid'
  | 'acmeEabHmac'
  | 'acmeCaFile'
  | 'acmeProfile'
  | 'acmeChallenge'
  | 'acmeDomains'
  | 'acmeDnsWebhook'
  | 'acmeDnsServer'
  | 'acmeDnsTsig'
  | 'acmeDnsCredentials'
  | 'acmeDnsResolvers'
  | 'acmeCloudflareToken'
>;

/** What the settings make of the orderer. */
export interface OrderingRules {
  readonly selection: SelectionRules;
  readonly orderer: Pick<OrdererOptions, 'issuers' | 'email' | 'externalAccountOf' | 'ca' | 'dns' | 'resolvers'>;
}

/** @throws UsageError where `ACME_DIRECTORY` is not set, or external accounts or DNS credentials do not fit */
export async function orderingRules(settings: AcmeSettings): Promise<OrderingRules> {
  const { acmeDirectory } = settings;
  if (acmeDirectory === undefined) throw new UsageError('settings-invalid', 'ACME_DIRECTORY is not set');
  const { acmeDnsCredentials = '[]' } = settings;
  if (readCredentials(acmeDnsCredentials) === undefined)
    throw new UsageError(
      'settings-invalid',
      'ACME_DNS_CREDENTIALS=(secret): expected a list of {"provider":"rfc2136","domains":[…],"server":…,"tsig":…}, {"provider":"webhook","domains":[…],"url":…} or {"provider":"cloudflare","domains":[…],"token":…}',
    );
  const issuers = acmeDirectory.map(issuerOf);
  const dns = dnsProviders({
    webhook: settings.acmeDnsWebhook,
    server: settings.acmeDnsServer,
    tsig: settings.acmeDnsTsig,
    cloudflareToken: settings.acmeCloudflareToken,
    credentials: acmeDnsCredentials,
  });
  const { acmeCaFile, acmeProfile, acmeEmail } = settings;
  return {
    selection: {
      domains: settings.acmeDomains,
      challenges: settings.acmeChallenge,
      issuers,
      canWriteDns: (name) => dns.for(name) !== undefined,
      ...(acmeProfile === undefined ? {} : { profile: acmeProfile }),
    },
    orderer: {
      issuers,
      email: acmeEmail,
      externalAccountOf: externalAccounts(settings, issuers),
      ca: acmeCaFile === undefined ? undefined : await readFile(acmeCaFile, 'utf8'),
      dns,
      resolvers: settings.acmeDnsResolvers,
    },
  };
}

/**
 * `ACME_EAB_KID` and `ACME_EAB_HMAC` hold one value, or where several issuers need one `issuer=value` for each.
 * @throws UsageError
 */
function externalAccounts(
  { acmeEabKid, acmeEabHmac }: AcmeSettings,
  issuers: readonly Issuer[],
): (issuer: Issuer) => ExternalAccount | undefined {
  const kids = byIssuer(acmeEabKid, issuers);
  const hmacs = byIssuer(acmeEabHmac, issuers);
  const missing = issuers.find(({ id, needsExternalAccount }) => needsExternalAccount && !(kids(id) && hmacs(id)));
  const uneven = issuers.find(({ id }) => (kids(id) === undefined) !== (hmacs(id) === undefined));
  const wrong = missing ?? uneven;
  if (wrong !== undefined)
    throw new UsageError(
      'settings-invalid',
      `ACME_DIRECTORY=${writtenAs(wrong)} ${missing === undefined ? 'has only one of ACME_EAB_KID and ACME_EAB_HMAC' : 'wants an external account'}: set ACME_EAB_KID and ACME_EAB_HMAC to what the CA gave you (for several issuers ${writtenAs(wrong)}=<value>, comma-separated)`,
    );
  return ({ id }) => {
    const kid = kids(id);
    const hmac = hmacs(id);
    return kid === undefined || hmac === undefined ? undefined : { kid, hmac };
  };
}

function byIssuer(text: string | undefined, issuers: readonly Issuer[]): (id: string) => string | undefined {
  const entries = (text ?? '').split(',').map((each) => each.trim());
  const named = new Map<string, string>();
  let general: string | undefined;
  for (const entry of entries) {
    if (entry === '') continue;
    // A key in base64 may end with `=`, so only a name that is an issuer's counts as one.
    const issuer = issuers.find((each) => [each.id, writtenAs(each)].some((name) => entry.startsWith(`${name}=`)));
    if (issuer !== undefined) {
      const name = entry.startsWith(`${issuer.id}=`) ? issuer.id : writtenAs(issuer);
      named.set(issuer.id, entry.slice(name.length + 1));
    } else general = entry;
  }
  return (id) => named.get(id) ?? general;
}
