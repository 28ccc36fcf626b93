import { z } from 'zod';
import { isAllowed } from '../names/select-names.ts';
import { cloudflareProvider } from './cloudflare-provider.ts';
import { type TsigKey, tsigAlgorithms } from './dns-message.ts';
import type { DnsProvider } from './dns-provider.ts';
import { rfc2136Provider } from './rfc2136-provider.ts';
import { webhookProvider } from './webhook-provider.ts';

export interface DnsSettings {
  /** `ACME_DNS_WEBHOOK`. */
  readonly webhook?: string | undefined;
  /** `ACME_DNS_SERVER` and `ACME_DNS_TSIG`: `name:secret` or `algorithm:name:secret`, the secret in base64. */
  readonly server?: string | undefined;
  readonly tsig?: string | undefined;
  /** `ACME_CLOUDFLARE_TOKEN`. */
  readonly cloudflareToken?: string | undefined;
  /** `ACME_DNS_CREDENTIALS`: a JSON list of providers with the domains that each is for. */
  readonly credentials?: string | undefined;
}

const domains = z.array(z.string()).min(1);
const credentialsSchema = z.array(
  z.discriminatedUnion('provider', [
    z.object({ provider: z.literal('rfc2136'), domains, server: z.string(), tsig: z.string().optional() }),
    z.object({ provider: z.literal('webhook'), domains, url: z.url() }),
    z.object({ provider: z.literal('cloudflare'), domains, token: z.string() }),
  ]),
);

/** Which provider writes the records of a name: the one with the longest domain, else the one for all. */
export interface DnsProviders {
  for(name: string): DnsProvider | undefined;
}

/** @param settings parsed before: see `readTsig` and `readCredentials` */
export function dnsProviders(settings: DnsSettings): DnsProviders {
  const ofDomains = (readCredentials(settings.credentials ?? '[]') ?? []).flatMap((entry) => {
    const provider = providerOf(entry);
    return entry.domains.map((domain) => ({ domain, provider }));
  });
  ofDomains.sort((a, b) => b.domain.length - a.domain.length);
  const forAll = providerForAll(settings);
  return {
    for(name) {
      const plain = name.replace(/^\*\./, '');
      return ofDomains.find(({ domain }) => isAllowed(plain, [domain, `*.${domain}`]))?.provider ?? forAll;
    },
  };
}

/** `undefined`: neither `name:secret` nor `algorithm:name:secret`. */
export function readTsig(text: string): TsigKey | undefined {
  const parts = text.trim().split(':');
  const [secret = '', name = '', algorithmText = 'hmac-sha256', ...more] = parts.toReversed();
  const algorithm = tsigAlgorithms.find((each) => each === algorithmText.toLowerCase());
  if (algorithm === undefined || name === '' || more.length > 0 || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(secret))
    return undefined;
  return { name: name.replace(/\.$/, ''), algorithm, secret: Buffer.from(secret, 'base64') };
}

/** `undefined`: no JSON, or not the list that `ACME_DNS_CREDENTIALS` takes. */
export function readCredentials(json: string): z.infer<typeof credentialsSchema> | undefined {
  try {
    const parsed = credentialsSchema.safeParse(JSON.parse(json));
    if (!parsed.success) return undefined;
    const isWrong = (tsig: string | undefined) => tsig !== undefined && readTsig(tsig) === undefined;
    return parsed.data.some((each) => each.provider === 'rfc2136' && isWrong(each.tsig)) ? undefined : parsed.data;
  } catch {
    return undefined;
  }
}

function providerOf(entry: z.infer<typeof credentialsSchema>[number]): DnsProvider {
  switch (entry.provider) {
    case 'rfc2136':
      return rfc2136Of(entry.server, entry.tsig);
    case 'webhook':
      return webhookProvider(entry.url);
    case 'cloudflare':
      return cloudflareProvider({ token: entry.token });
  }
}

function providerForAll({ webhook, server, tsig, cloudflareToken }: DnsSettings): DnsProvider | undefined {
  if (server !== undefined) return rfc2136Of(server, tsig);
  if (webhook !== undefined) return webhookProvider(webhook);
  return cloudflareToken === undefined ? undefined : cloudflareProvider({ token: cloudflareToken });
}

function rfc2136Of(server: string, tsig: string | undefined): DnsProvider {
  const key = tsig === undefined ? undefined : readTsig(tsig);
  return rfc2136Provider({ server, ...(key === undefined ? {} : { key }) });
}
