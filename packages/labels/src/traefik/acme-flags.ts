import { knownDirectories } from '@swarmgate/runtime';
import { splitList } from './middleware-calls.ts';

/** A setting that is equivalent to a flag of Traefik. */
export interface SettingOfFlag {
  readonly of: 'listener' | 'proxy';
  /** `NAME=value`. */
  readonly setting: string;
  /** The flag as it is written, without the value of a secret. */
  readonly from: string;
}

/** What a flag sets and no setting does, or a setting does differently. */
export interface FlagRemark {
  readonly written: string;
  readonly why: string;
  readonly suggestion: string;
}

interface Resolver {
  directory: string;
  from: string;
}

/** Challenges by the part of Traefik's flag. */
const challenges: Readonly<Record<string, string>> = {
  httpchallenge: 'http-01',
  tlschallenge: 'tls-alpn-01',
  dnschallenge: 'dns-01',
};

/** Providers of dns-01, by what of the proxy serves them. */
const dnsProviders: Readonly<Record<string, string>> = {
  cloudflare: 'set ACME_CLOUDFLARE_TOKEN of the proxy to what CF_DNS_API_TOKEN of Traefik has',
  httpreq: 'set ACME_DNS_WEBHOOK of the proxy to what HTTPREQ_ENDPOINT of Traefik has',
  rfc2136: 'set ACME_DNS_SERVER and ACME_DNS_TSIG of the proxy to what RFC2136_NAMESERVER and RFC2136_TSIG_… have',
};

/**
 * Reads `certificatesResolvers.<name>.acme.*` (https://doc.traefik.io/traefik/reference/install-configuration/tls/certificate-resolvers/acme/).
 * All resolvers together are one list of directories and one of challenges here, in the order of the flags.
 */
export class AcmeFlags {
  readonly #resolvers = new Map<string, Resolver>();
  readonly #lists = new Map<string, { values: string[]; from: string }>();
  readonly #settings: SettingOfFlag[] = [];
  readonly #remarks: FlagRemark[] = [];
  readonly #providers = new Map<string, string>();

  /** `false`: it is no flag of a resolver. */
  read(name: string, value: string, written: string): boolean {
    const match = /^certificatesresolvers\.([\w-]+)\.([\w.[\]-]+)$/.exec(name);
    if (match === null) return false;
    const [, resolver = '', option = ''] = match;
    if (option.startsWith('tailscale'))
      this.#remark(written, 'certificates of Tailscale are not ordered', 'import them, or order by ACME');
    else if (option.startsWith('acme.')) this.#ofResolver(resolver, option.slice('acme.'.length), value, written);
    return true;
  }

  result(): { readonly settings: readonly SettingOfFlag[]; readonly remarks: readonly FlagRemark[] } {
    const directories = new Map([...this.#resolvers.values()].map(({ directory, from }) => [directory, from]));
    const settings: SettingOfFlag[] = [];
    if (directories.size > 0)
      settings.push(proxySetting(`ACME_DIRECTORY=${[...directories.keys()].join(',')}`, [...directories.values()]));
    for (const [name, { values, from }] of this.#lists)
      settings.push(proxySetting(`${name}=${[...new Set(values)].join(',')}`, [from]));
    for (const [provider, written] of this.#providers) {
      const known = Object.hasOwn(dnsProviders, provider) ? dnsProviders[provider] : undefined;
      const other = 'serve lego’s httpreq contract beside it, and set ACME_DNS_WEBHOOK';
      const why = known === undefined ? `dns-01 by ${provider} is not supported` : 'its credentials are no flag';
      this.#remark(written, why, known ?? other);
    }
    return { settings: [...settings, ...this.#settings], remarks: this.#remarks };
  }

  #ofResolver(resolver: string, option: string, value: string, written: string): void {
    const own = this.#resolvers.get(resolver) ?? { directory: 'letsencrypt', from: written };
    this.#resolvers.set(resolver, own);
    const [part = ''] = option.split('.');
    const challenge = Object.hasOwn(challenges, part) ? challenges[part] : undefined;
    if (option === 'caserver') this.#resolvers.set(resolver, { directory: directoryName(value), from: written });
    else if (option === 'email') this.#once('ACME_EMAIL', value, written);
    else if (option === 'profile') this.#once('ACME_PROFILE', value, written);
    else if (/^cacertificates(\[\d+\])?$/.test(option)) {
      this.#once('ACME_CA_FILE', value, written);
      this.#remark(written, 'the path is one of Traefik’s container', 'mount the file into the proxy at that path');
    } else if (option === 'eab.kid') this.#secret('ACME_EAB_KID', resolver, written);
    else if (option === 'eab.hmacencoded') this.#secret('ACME_EAB_HMAC', resolver, written);
    else if (/^dnschallenge\.resolvers(\[\d+\])?$/.test(option))
      this.#listed('ACME_DNS_RESOLVERS', splitList(value), written);
    else if (option === 'dnschallenge.provider') this.#providers.set(value.trim().toLowerCase(), written);
    if (challenge !== undefined && !/^(false|0|f)$/i.test(value)) this.#listed('ACME_CHALLENGE', [challenge], written);
  }

  /** One for all resolvers. */
  #once(name: string, value: string, written: string): void {
    const before = this.#settings.find(({ setting }) => setting.startsWith(`${name}=`));
    if (before === undefined) this.#settings.push({ of: 'proxy', setting: `${name}=${value}`, from: written });
    else if (before.setting !== `${name}=${value}`)
      this.#remark(
        written,
        `${name} is one for all issuers, and holds that of ${before.from}`,
        'choose one of the two',
      );
  }

  /** Its value is shown nowhere. */
  #secret(name: string, resolver: string, written: string): void {
    const flag = written.replace(/[=\s].*$/s, '');
    const issuer = [...this.#resolvers.keys()].length > 1 ? `${resolver}: ` : '';
    this.#settings.push({ of: 'proxy', setting: `${name}=<${issuer}value of the flag>`, from: flag });
  }

  #listed(name: string, values: readonly string[], written: string): void {
    const known = this.#lists.get(name) ?? { values: [], from: written };
    known.values.push(...values);
    this.#lists.set(name, known);
  }

  #remark(written: string, why: string, suggestion: string): void {
    this.#remarks.push({ written, why, suggestion });
  }
}

function proxySetting(setting: string, from: readonly string[]): SettingOfFlag {
  return { of: 'proxy', setting, from: from.join(' ') };
}

/** `letsencrypt` for its URL: routers name their resolver, which is an issuer of that name here. */
function directoryName(url: string): string {
  const trimmed = url.trim().replace(/\/$/, '');
  const known = Object.entries(knownDirectories).find(([, directory]) => directory.url === trimmed);
  return known?.[0] ?? trimmed;
}
