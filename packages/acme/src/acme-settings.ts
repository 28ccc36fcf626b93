import { type ExternalAccount, externalAccounts, readRegularFile, type Settings, UsageError } from '@swarmgate/runtime';
import { dnsProviders, readCredentials } from './challenges/dns-providers.ts';
import type { SelectionRules } from './names/select-names.ts';
import type { OrdererOptions } from './ordering/orderer-options.ts';
import { type Issuer, issuerOf } from './orders/issuers.ts';

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
      externalAccountOf: accountsOf(settings),
      ca: acmeCaFile === undefined ? undefined : await readRegularFile(acmeCaFile),
      dns,
      resolvers: settings.acmeDnsResolvers,
    },
  };
}

/**
 * What each issuer's account is bound to. Everything that is missing is reported at once, before a proxy opens anything.
 * @throws UsageError
 */
function accountsOf(settings: AcmeSettings): (issuer: Issuer) => ExternalAccount | undefined {
  const { accounts, missing } = externalAccounts(settings);
  if (missing.length > 0)
    throw new UsageError(
      'settings-invalid',
      missing
        .map(({ entry, settings: lacking }) => `ACME_DIRECTORY=${entry} needs ${lacking.join(' and ')}`)
        .join('; '),
    );
  return ({ name }) => accounts.get(name);
}
