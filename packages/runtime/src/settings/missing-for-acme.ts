import { type ExternalAccountSettings, externalAccounts } from './acme-directories.ts';
import type { Role } from './setting.ts';

const dnsAccess = ['ACME_DNS_SERVER', 'ACME_DNS_WEBHOOK', 'ACME_CLOUDFLARE_TOKEN', 'ACME_DNS_CREDENTIALS'] as const;

/** The settings that decide it, as `Settings` has them. */
export interface CertificateSettings extends ExternalAccountSettings {
  readonly acmeChallenge: readonly string[];
  readonly acmeDnsServer: string | undefined;
  readonly acmeDnsTsig: string | undefined;
  readonly acmeDnsWebhook: string | undefined;
  readonly acmeCloudflareToken: string | undefined;
  readonly acmeDnsCredentials: string | undefined;
  readonly consulAddress: string | undefined;
  readonly secretsKey: readonly string[] | undefined;
}

/** Everything that certificates by ACME lack with these settings, so that one start reports all of it. */
export function missingForAcme(role: Role, settings: CertificateSettings): readonly string[] {
  const { acmeDirectory, acmeChallenge, acmeDnsServer, acmeDnsWebhook, acmeCloudflareToken } = settings;
  if ((role !== 'proxy' && role !== 'standalone') || acmeDirectory === undefined) return [];
  const missing = externalAccounts(settings).missing.map(
    ({ entry, settings: lacking }) =>
      `ACME_DIRECTORY=${entry}: expected ${lacking.join(' and ')} to be set to what the CA gave you for an external account (for several issuers ${entry}=<value>, comma-separated)`,
  );
  // The embedded registry makes a key of its own in DATA_DIR.
  if (settings.consulAddress !== undefined && (settings.secretsKey ?? []).length === 0)
    missing.push(
      `ACME_DIRECTORY=${acmeDirectory.join(',') || 'import'}: expected SECRETS_KEY to be set, because private keys go into Consul only encrypted. Make one (openssl rand -base64 32) and give the same to every proxy, in the stack as the secret swarmgate_secrets_key (docker/create-secrets.sh)`,
    );
  if (acmeDirectory.length === 0) return missing;
  const canWrite = [acmeDnsServer, acmeDnsWebhook, acmeCloudflareToken, settings.acmeDnsCredentials].some(
    (each) => each !== undefined,
  );
  if (acmeChallenge.every((each) => each === 'dns-01') && !canWrite)
    missing.push(`ACME_CHALLENGE=dns-01: expected one of ${dnsAccess.join(', ')} to be set`);
  if (settings.acmeDnsTsig !== undefined && acmeDnsServer === undefined)
    missing.push('ACME_DNS_TSIG=(secret): expected ACME_DNS_SERVER to be set');
  return missing;
}
