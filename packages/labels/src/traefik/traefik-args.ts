import type { Problem } from '../definition/problem.ts';
import { readConstraint } from './constraints.ts';

/** What Traefik's own flags say, as settings here. */
export interface TraefikArgs {
  /** `NAME=value`, in the order of the flags; `of` is the process that reads it. */
  readonly settings: readonly { readonly of: 'listener' | 'proxy'; readonly setting: string; readonly from: string }[];
  readonly problems: readonly Problem[];
}

/**
 * Reads flags (`--entrypoints.web.address=:80`), or the environment's names of them (`TRAEFIK_ENTRYPOINTS_WEB_ADDRESS=:80`), one a line
 * or several by blanks. A flag that restricts and has no equivalent is an error; one that changes nothing here is left out. Pure.
 */
export function readTraefikArgs(text: string): TraefikArgs {
  const reader = new ArgsReader();
  for (const [name, value, written] of flagsOf(text)) reader.read(name, value, written);
  return reader.result();
}

type Flag = readonly [name: string, value: string, written: string];

function flagsOf(text: string): readonly Flag[] {
  return text
    .split(/\n/)
    .map((line) =>
      line
        .trim()
        .replace(/^-\s+/, '')
        .replace(/^(["'])(.*)\1$/, '$2'),
    )
    .flatMap((line) => (line.startsWith('--') ? line.split(/\s+(?=--)/) : [line]))
    .flatMap((line): readonly Flag[] => {
      const flag = /^--?([A-Za-z][\w.[\]-]*)(?:[=\s]\s*(.*))?$/.exec(line);
      if (flag !== null) return [[(flag[1] ?? '').toLowerCase(), unquoted(flag[2] ?? 'true'), line]];
      const variable = /^TRAEFIK_([A-Z0-9_]+)\s*[=:]\s*(.*)$/.exec(line);
      return variable === null
        ? []
        : [[(variable[1] ?? '').toLowerCase().replaceAll('_', '.'), unquoted(variable[2] ?? ''), line]];
    });
}

function unquoted(text: string): string {
  return text.trim().replace(/^(["'])(.*)\1$/, '$2');
}

/** Entrypoints that need no setting where they have their usual ports. */
const usual: Readonly<Record<string, number>> = { web: 80, http: 80, websecure: 443, https: 443 };

class ArgsReader {
  readonly #settings: { of: 'listener' | 'proxy'; setting: string; from: string }[] = [];
  readonly #problems: Problem[] = [];
  readonly #ports = new Map<string, { readonly port: number; readonly from: string }>();
  readonly #secure = new Set<string>();
  #exposedByDefault: string | undefined;
  #exposedFrom = 'Traefik’s default';
  #hasProvider = false;

  read(name: string, value: string, written: string): void {
    const entrypoint = /^entrypoints\.([\w-]+)\.(.+)$/.exec(name);
    if (entrypoint !== null) this.#entrypoint(entrypoint[1] ?? '', entrypoint[2] ?? '', value, written);
    else if (/^providers\.(docker|swarm)(\.|$)/.test(name))
      this.#provider(name.replace(/^providers\.(docker|swarm)\.?/, ''), value, written);
    else if (/^providers\./.test(name))
      this.#lack(written, 'its routers and middlewares are not read', 'write them as labels of services');
    else if (/^certificatesresolvers\.[\w-]+\.acme\.email$/.test(name))
      this.#add('proxy', `ACME_EMAIL=${value}`, written);
    else if (/^certificatesresolvers\.[\w-]+\.acme\.caserver$/.test(name))
      this.#add('proxy', `ACME_DIRECTORY=${value}`, written);
    else if (/^certificatesresolvers\.[\w-]+\.acme\.httpchallenge/.test(name))
      this.#add('proxy', 'ACME_CHALLENGE=http-01', written);
    else if (/^certificatesresolvers\.[\w-]+\.acme\.tlschallenge/.test(name))
      this.#add('proxy', 'ACME_CHALLENGE=tls-alpn-01', written);
    else if (/^certificatesresolvers\.[\w-]+\.acme\.dnschallenge/.test(name))
      this.#add('proxy', 'ACME_CHALLENGE=dns-01', written);
    else if (/^experimental\.(local)?plugins\./.test(name))
      this.#lack(
        written,
        'plug-ins of Traefik are not supported',
        'use a middleware that does the same, or com.df.plugins',
      );
  }

  result(): TraefikArgs {
    const named = [...this.#ports].flatMap(([name, { port }]) => {
      const isSecure = this.#secure.has(name) || usual[name] === 443;
      return usual[name] === port ? [] : [`${name}=${port}${isSecure ? ':ssl' : ''}`];
    });
    if (named.length > 0) this.#add('listener', `TRAEFIK_ENTRYPOINTS=${named.join(',')}`, 'the entrypoints');
    if (this.#hasProvider && this.#exposedByDefault !== 'false')
      this.#add('listener', 'TRAEFIK_EXPOSED_BY_DEFAULT=true', this.#exposedFrom);
    return {
      settings: [...new Map(this.#settings.map((each) => [each.setting, each])).values()],
      problems: this.#problems,
    };
  }

  #entrypoint(name: string, option: string, value: string, written: string): void {
    const port = /^address$/.test(option) ? /:(\d{1,5})(?:\/(tcp|udp))?$/.exec(value) : null;
    if (port?.[2] === 'udp') this.#lack(written, 'UDP is not served', 'publish the port of the service itself');
    else if (port !== null) this.#ports.set(name, { port: Number(port[1]), from: written });
    else if (/^http\.redirections?\.entrypoint\.(to|scheme)$/.test(option)) this.#redirection(name, value, written);
    else if (/^http\.redirections?\./.test(option)) return;
    else if (option === 'http.middlewares')
      this.#lack(
        written,
        'it puts middlewares on every router of the entrypoint, and no setting does',
        `add ${value} to the middlewares of each router`,
      );
    else if (/^http\.tls(\.|$)/.test(option)) this.#tlsByDefault(name, written);
    else if (option === 'forwardedheaders.trustedips' || option === 'proxyprotocol.trustedips')
      this.#add('proxy', `TRUSTED_PROXIES=${value}`, written);
    else if (/^(forwardedheaders|proxyprotocol)\.insecure$/.test(option) && value !== 'false')
      this.#lack(written, 'no setting trusts every client', 'name the addresses: TRUSTED_PROXIES=10.0.0.0/8');
  }

  #tlsByDefault(name: string, written: string): void {
    if (this.#secure.has(name)) return;
    this.#secure.add(name);
    this.#problems.push({
      severity: 'warning',
      reason: 'traefik-flag-partly',
      message: `${written.slice(0, 200)}: routers that name neither an entrypoint nor tls are served at ports without TLS only`,
      label: written.replace(/[=\s].*$/s, ''),
      suggestion: `set tls=true on them, or name the entrypoint ${name}`,
    });
  }

  /** Only one from plain to TLS is known: `HTTPS_ONLY` holds for all plain ports. */
  #redirection(name: string, value: string, written: string): void {
    if (/^(https|websecure|:443)$/i.test(value) && /^(web|http)$/.test(name))
      this.#add('proxy', 'HTTPS_ONLY=true', written);
    else if (!/^https$/i.test(value))
      this.#lack(
        written,
        `the redirection of ${name} to ${value} has no setting`,
        'write redirectScheme on its routers',
      );
  }

  #provider(option: string, value: string, written: string): void {
    this.#hasProvider = true;
    if (option === 'exposedbydefault') {
      this.#exposedByDefault = value.toLowerCase();
      this.#exposedFrom = written;
    } else if (option === 'defaultrule') this.#add('listener', `TRAEFIK_DEFAULT_RULE=${value}`, written);
    else if (option === 'constraints') {
      const read = readConstraint(value);
      if (read.ok) this.#add('listener', `TRAEFIK_CONSTRAINTS=${value}`, written);
      else this.#lack(written, `it cannot be read at character ${read.at}: ${read.message}`, read.suggestion);
    }
  }

  #add(of: 'listener' | 'proxy', setting: string, from: string): void {
    this.#settings.push({ of, setting, from });
  }

  #lack(written: string, why: string, suggestion: string): void {
    this.#problems.push({
      severity: 'error',
      reason: 'traefik-flag-unsupported',
      message: `${written.slice(0, 200)}: ${why}`,
      label: written.replace(/[=\s].*$/s, ''),
      suggestion,
    });
  }
}
