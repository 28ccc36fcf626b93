import { isTrue } from '@swarmgate/runtime';
import type { FlagRemark, SettingOfFlag } from './acme-flags.ts';
import { splitList } from './middleware-calls.ts';

interface Trust {
  readonly addresses: readonly string[];
  /** It takes PROXY headers. */
  readonly isProxied: boolean;
  readonly from: readonly string[];
}

/** All addresses: what `insecure` trusts. */
const everyAddress = ['0.0.0.0/0', '::/0'];

/**
 * Reads `entryPoints.<name>.forwardedHeaders.*` and `.proxyProtocol.*`
 * (https://doc.traefik.io/traefik/reference/install-configuration/entrypoints/). Traefik trusts addresses at one entrypoint;
 * `TRUSTED_PROXIES` are trusted at all of them.
 */
export class TrustFlags {
  readonly #trusts = new Map<string, Trust>();
  readonly #remarks: FlagRemark[] = [];

  /** `false`: it is another option. */
  read(entrypoint: string, option: string, value: string, written: string): boolean {
    const match = /^(forwardedheaders|proxyprotocol)\.(trustedips(?:\[\d+\])?|insecure)$/.exec(option);
    if (match === null) return false;
    const isInsecure = match[2] === 'insecure';
    if (isInsecure && !isTrue(value)) return true;
    if (isInsecure)
      this.#remarks.push({
        written,
        why: 'every client can then pass for any other one, which rate limits, allow lists and logs go by',
        suggestion: 'trust the addresses of the hops alone: TRUSTED_PROXIES=10.0.0.0/8',
      });
    const isProxied = match[1] === 'proxyprotocol';
    if (isProxied && this.#trusts.get(entrypoint)?.isProxied !== true)
      this.#remarks.push({
        written,
        why: 'Traefik takes connections with and without a PROXY header; of a port in PROXY_PROTOCOL_PORTS each needs one, and comes from TRUSTED_PROXIES',
        suggestion: 'let all that comes to the port come through the load balancer, or leave PROXY_PROTOCOL_PORTS out',
      });
    const before = this.#trusts.get(entrypoint) ?? { addresses: [], isProxied: false, from: [] };
    this.#trusts.set(entrypoint, {
      addresses: [...before.addresses, ...(isInsecure ? everyAddress : splitList(value))],
      isProxied: before.isProxied || isProxied,
      from: [...before.from, written],
    });
    return true;
  }

  /** @param ports of all entrypoints that take connections */
  result(ports: ReadonlyMap<string, number>): {
    readonly settings: readonly SettingOfFlag[];
    readonly remarks: readonly FlagRemark[];
  } {
    const all = [...this.#trusts];
    const from = all.flatMap(([, trust]) => trust.from);
    const addresses = [...new Set(all.flatMap(([, trust]) => trust.addresses))];
    const proxied = all.filter(([, { isProxied }]) => isProxied);
    if (addresses.length === 0) return { settings: [], remarks: this.#remarks };
    const proxiedPorts = proxied.flatMap(([name]) => ports.get(name) ?? []);
    const isEqual = (trust: Trust | undefined) => new Set(trust?.addresses).size === addresses.length;
    const others = [...ports.keys()].filter((name) => !isEqual(this.#trusts.get(name)));
    const wider: FlagRemark = {
      written: from.join(' '),
      why: `TRUSTED_PROXIES are trusted at every entrypoint, and Traefik trusts fewer at ${others.join(', ')}`,
      suggestion: 'let no client reach an entrypoint from these addresses by itself',
    };
    return {
      settings: [
        { of: 'proxy', setting: `TRUSTED_PROXIES=${addresses.join(',')}`, from: from.join(' ') },
        ...(proxiedPorts.length === 0
          ? []
          : [
              {
                of: 'proxy' as const,
                setting: `PROXY_PROTOCOL_PORTS=${[...new Set(proxiedPorts)].join(',')}`,
                from: proxied.flatMap(([, trust]) => trust.from).join(' '),
              },
            ]),
      ],
      remarks: others.length === 0 ? this.#remarks : [...this.#remarks, wider],
    };
  }
}
