import { isTrue } from '@swarmgate/runtime';
import type { Problem } from '../definition/problem.ts';
import { AcmeFlags, type FlagRemark, type SettingOfFlag } from './acme-flags.ts';
import { readConstraint } from './constraints.ts';
import { variableOf } from './entrypoint-options.ts';
import { splitList } from './middleware-calls.ts';
import { TrustFlags } from './trust-flags.ts';

/** Traefik's own flags, as settings here. */
export interface TraefikArgs {
  /** `NAME=value`, in the order of the flags; `of` is the process that reads it. */
  readonly settings: readonly SettingOfFlag[];
  readonly problems: readonly Problem[];
  /** Why routers with TLS respond with 503: default TLS options that are not read may demand certificates of clients. */
  readonly closesTls?: string;
}

/** Providers whose definitions are labels or tags: these name TLS options, and define none. */
const withoutTlsOptions = /^providers\.(consulcatalog|nomad|ecs|marathon|rancher)(\.|$)/;

/**
 * Reads flags (`--entrypoints.web.address=:80`), or the environment's names of them (`TRAEFIK_ENTRYPOINTS_WEB_ADDRESS=:80`), one a line
 * or several by blanks; or the arguments of a process. A flag that restricts and has no equivalent is an error; one that changes nothing here is left out. Pure.
 *
 * @param readsFile `TRAEFIK_FILE` is set: the file provider has its equivalent
 */
export function readTraefikArgs(
  text: string | readonly string[],
  { readsFile = false }: { readonly readsFile?: boolean } = {},
): TraefikArgs {
  const reader = new ArgsReader(readsFile);
  const lines = typeof text === 'string' ? text.split(/\n/) : joinedValues(text);
  for (const [name, value, written] of flagsOf(lines)) reader.read(name, value, written);
  return reader.result();
}

/** The lines to read of a process: as in Traefik, its environment counts where it has no flags. */
export function traefikLines(args: readonly string[], environment: readonly string[]): readonly string[] {
  return args.some((arg) => /(^|\s)--?[A-Za-z]/.test(arg)) ? args : environment;
}

type Flag = readonly [name: string, value: string, written: string];

/** `--flag`, `value` as two arguments → one line. After `sh -c` stands a line of flags. */
function joinedValues(args: readonly string[]): readonly string[] {
  const isFlag = (arg: string) => /^--?[\w.[\]-]+$/.test(arg) && !/^-[a-z]{0,3}c$/.test(arg);
  return args.flatMap((arg, at) => {
    const before = args[at - 1];
    if (!arg.startsWith('-') && before !== undefined && isFlag(before)) return [];
    const next = args[at + 1];
    return isFlag(arg) && next !== undefined && !next.startsWith('-') ? [`${arg}=${next}`] : [arg];
  });
}

function flagsOf(lines: readonly string[]): readonly Flag[] {
  return (
    lines
      .map((line) =>
        line
          .trim()
          .replace(/^-\s+/, '')
          .replace(/^(["'])(.*)\1$/, '$2'),
      )
      // A line of a shell may write them with one dash; in a value one is no flag.
      .flatMap((line) => line.split(/^-/.test(line) ? /\s+(?=--)/ : /\s+(?=--?[A-Za-z])/))
      .flatMap((line): readonly Flag[] => {
        const flag = /^--?([A-Za-z][\w.[\]-]*)(?:[=\s]\s*(.*))?$/s.exec(line);
        if (flag !== null) return [[(flag[1] ?? '').toLowerCase(), unquoted(flag[2] ?? 'true'), line]];
        const variable = /^TRAEFIK_([A-Z0-9_]+)\s*[=:]\s*(.*)$/s.exec(line);
        return variable === null
          ? []
          : [[(variable[1] ?? '').toLowerCase().replaceAll('_', '.'), unquoted(variable[2] ?? ''), line]];
      })
  );
}

function unquoted(text: string): string {
  return text.trim().replace(/^(["'])(.*)\1$/, '$2');
}

type Provider = 'docker' | 'swarm';

interface ProviderFlags {
  /** What follows `providers.swarm.`. */
  readonly option: string;
  readonly value: string;
  readonly written: string;
}

interface EntrypointFlags {
  middlewares?: string;
  to?: string;
  /** Of the redirection; Traefik's default is `https`. */
  scheme?: string;
  isTemporary?: boolean;
  isDefault?: boolean;
  tls?: { resolver?: string; options?: string; domains?: readonly string[] };
  /** The flag that restricts and has no equivalent here. */
  closed?: string;
  /** The flags that set it. */
  readonly from: {
    readonly middlewares?: string;
    readonly redirect?: string;
    readonly tls?: string;
    readonly isDefault?: string;
    readonly closed?: string;
  };
}

/** Entrypoints that need no setting where they have their usual ports. */
const usual: Readonly<Record<string, number>> = { web: 80, http: 80, websecure: 443, https: 443 };

/** Entrypoints without an address are at their usual ports. */
function withUsual(ports: ReadonlyMap<string, number>, names: Iterable<string>): ReadonlyMap<string, number> {
  const others = [...names].flatMap((name) => {
    const port = usual[name];
    return port === undefined || ports.has(name) ? [] : [[name, port] as const];
  });
  return new Map([...ports, ...others]);
}

/** Options of entrypoints that do not restrict access to a router, or that are read (Traefik 3, reference of the static options). */
function isKnownOption(option: string): boolean {
  return (
    /^(address|asdefault|reuseport|allowacmebypass|enablehttp3)$/.test(option) ||
    /^(forwardedheaders|proxyprotocol|transport|http2|http3|udp|observability)(\.|$)/.test(option) ||
    /^http\.(encodequerysemicolons|sanitizepath|maxheaderbytes|encodedcharacters\.\w+)$/.test(option) ||
    option === 'http'
  );
}

class ArgsReader {
  readonly #settings: SettingOfFlag[] = [];
  readonly #acme = new AcmeFlags();
  readonly #trust = new TrustFlags();
  readonly #problems: Problem[] = [];
  readonly #ports = new Map<string, { readonly port: number; readonly from: string }>();
  readonly #entrypoints = new Map<string, EntrypointFlags>();
  readonly #readsFile: boolean;
  #closesTls: string | undefined;
  readonly #providers: Record<Provider, ProviderFlags[]> = { docker: [], swarm: [] };

  constructor(readsFile: boolean) {
    this.#readsFile = readsFile;
  }

  read(name: string, value: string, written: string): void {
    const entrypoint = /^entrypoints\.([\w-]+)\.(.+)$/.exec(name);
    if (entrypoint !== null) this.#entrypoint(entrypoint[1] ?? '', entrypoint[2] ?? '', value, written);
    else if (/^providers\.(docker|swarm)(\.|$)/.test(name))
      this.#providers[name.startsWith('providers.swarm') ? 'swarm' : 'docker'].push({
        option: name.replace(/^providers\.(docker|swarm)\.?/, ''),
        value,
        written,
      });
    else if (/^providers\.file\.(filename|directory)$/.test(name)) this.#file(value, written);
    else if (/^providers\.file(\.|$)/.test(name)) return;
    else if (/^configfile$/.test(name))
      this.#lack(written, 'a static file is not read', 'write what stands in it as flags of Traefik, or as settings');
    else if (/^providers\.(providersthrottleduration|precedence)/.test(name)) return;
    else if (/^providers\./.test(name)) this.#provider(name, value, written);
    else if (this.#acme.read(name, value, written)) return;
    else if (/^experimental\.(local)?plugins\./.test(name))
      this.#lack(
        written,
        'plug-ins of Traefik are not supported',
        'use a middleware that does the same, or com.df.plugins',
      );
  }

  result(): TraefikArgs {
    this.#addEntrypoints();
    const isUsual = [...this.#ports].every(([name, { port }]) => usual[name] === port);
    const named = [...this.#ports].map(([name, { port }]) => `${name}=${port}${this.#isSecure(name) ? ':ssl' : ''}`);
    if (!isUsual) this.#add('listener', `TRAEFIK_ENTRYPOINTS=${named.join(',')}`, 'the entrypoints');
    this.#addProvider();
    const ports = new Map([...this.#ports].map(([name, { port }]) => [name, port]));
    for (const { settings, remarks } of [
      this.#trust.result(withUsual(ports, this.#entrypoints.keys())),
      this.#acme.result(),
    ]) {
      this.#settings.push(...settings);
      for (const remark of remarks) this.#remark(remark);
    }
    return {
      settings: [...new Map(this.#settings.map((each) => [each.setting, each])).values()],
      problems: this.#problems,
      ...(this.#closesTls === undefined ? {} : { closesTls: this.#closesTls }),
    };
  }

  #isSecure(name: string): boolean {
    // A redirection leads to https, unless it names another scheme.
    const isTarget = [...this.#entrypoints.values()].some(
      ({ to, scheme }) => scheme !== 'http' && to !== undefined && this.#ports.has(name) && this.#leadsTo(to, name),
    );
    return isTarget || this.#entrypoints.get(name)?.tls !== undefined || usual[name] === 443;
  }

  /** By its name, or by its port: `:8443`. */
  #leadsTo(to: string, name: string): boolean {
    return to.toLowerCase() === name || to === `:${this.#ports.get(name)?.port}`;
  }

  #addEntrypoints(): void {
    for (const [name, { middlewares, to, scheme, isTemporary, isDefault, tls, closed, from }] of this.#entrypoints) {
      const setting = `TRAEFIK_${variableOf(name)}`;
      if (middlewares !== undefined)
        this.#add('listener', `${setting}_MIDDLEWARES=${middlewares}`, from.middlewares ?? '');
      const target = to ?? scheme;
      const isFromTls = target !== undefined && this.#isSecure(name);
      const closedBy = closed ?? (isFromTls ? `the redirection to ${target} has no effect on TLS` : undefined);
      if (isFromTls)
        this.#lack(
          from.redirect ?? '',
          `redirections are from entrypoints without TLS, and ${name} has it, so its routers respond with 503`,
          'write redirectRegex on its routers, and leave the flag out',
        );
      else if (target !== undefined && scheme !== 'http')
        this.#redirection(name, setting, target, isTemporary === true, from.redirect ?? '');
      else if (target !== undefined) this.#lackOfRedirection(name, target, from.redirect ?? '');
      if (isDefault === true) this.#add('listener', `${setting}_AS_DEFAULT=true`, from.isDefault ?? '');
      if (closedBy !== undefined)
        this.#add('listener', `${setting}_CLOSED=${closedBy}`, from.closed ?? from.redirect ?? '');
      if (tls === undefined) continue;
      const options = tls.options === undefined ? '' : `,options=${tls.options}`;
      const domains = (tls.domains ?? []).map((domain) => `,domain=${domain}`).join('');
      this.#add('listener', `${setting}_TLS=${tls.resolver ?? 'true'}${options}${domains}`, from.tls ?? '');
    }
  }

  #entrypoint(name: string, option: string, value: string, written: string): void {
    const port = option === 'address' ? /^(.*):(\d{1,5})(?:\/(tcp|udp))?$/.exec(value) : null;
    const own = this.#entrypoints.get(name) ?? { from: {} };
    const isOff = /^(false|0|f)$/i.test(value);
    const keep = (more: Omit<EntrypointFlags, 'from'>) => {
      const [what = ''] = Object.keys(more);
      const from = { [/^(to|scheme|isTemporary)$/.test(what) ? 'redirect' : what]: written };
      this.#entrypoints.set(name, { ...own, ...more, from: { ...from, ...own.from } });
    };
    const close = (why: string, suggestion: string) => {
      keep({ closed: `${written.slice(0, 100)}: ${why}`.replaceAll(/,\s*/g, ' ') });
      this.#lack(written, `${why}, so its routers respond with 503`, suggestion);
    };
    if (this.#trust.read(name, option, value, written)) this.#entrypoints.set(name, own);
    else if (port?.[3] === 'udp') this.#lack(written, 'UDP is not served', 'publish the port of the service itself');
    else if (port !== null) {
      this.#ports.set(name, { port: Number(port[2]), from: written });
      if (!/^(\*|0\.0\.0\.0|\[::\])?$/.test(port[1] ?? ''))
        close(
          'it binds one address, and entrypoints here take connections at every address',
          'keep the port unpublished or behind a firewall, and leave the address out; or protect its routers with ipAllowList',
        );
    } else if (/^http\.redirections?\.entrypoint\.to$/.test(option)) keep({ to: value });
    else if (/^http\.redirections?\.entrypoint\.scheme$/.test(option)) keep({ scheme: value.toLowerCase() });
    else if (/^http\.redirections?\.entrypoint\.permanent$/.test(option)) keep({ isTemporary: isOff });
    else if (/^http\.redirections?\./.test(option)) return;
    else if (option === 'asdefault') keep({ isDefault: !isOff });
    else if (/^http\.middlewares(\[\d+\])?$/.test(option))
      keep({ middlewares: own.middlewares === undefined ? value : `${own.middlewares},${value}` });
    else if (/^http\.tls(\.|$)/.test(option)) this.#tlsByDefault(own, option.slice('http.tls.'.length), value, keep);
    else if (/^http\.encodedcharacters\./.test(option) && isOff)
      close(
        'it rejects characters of a whole entrypoint, which no setting does',
        'put the middleware encodedCharacters on the routers, or set ENCODED_SLASH=refuse on the proxy, and leave the flag out',
      );
    else if (!isKnownOption(option))
      close(
        'this option of entrypoints is not known and may restrict',
        'set TRAEFIK_SERVICE=off and settings of the listener equivalent to its other flags, or leave the flag out',
      );
  }

  #tlsByDefault(
    { tls }: EntrypointFlags,
    option: string,
    value: string,
    keep: (more: Omit<EntrypointFlags, 'from'>) => void,
  ): void {
    if (option === 'certresolver') keep({ tls: { ...tls, resolver: value } });
    else if (option === 'options') keep({ tls: { ...tls, options: value } });
    else if (/^domains\[\d+\]\.(main|sans(\[\d+\])?)$/.test(option))
      keep({ tls: { ...tls, domains: [...(tls?.domains ?? []), ...splitList(value)] } });
    else if (option !== '' || !/^(false|0|f)$/i.test(value)) keep({ tls: tls ?? {} });
  }

  /** To an entrypoint with TLS. */
  #redirection(name: string, setting: string, to: string, isTemporary: boolean, written: string): void {
    const port = /^:(\d{1,5})$/.exec(to)?.[1];
    const target = port === undefined ? to.toLowerCase() : this.#nameOf(Number(port));
    if (target === 'https' || (target !== undefined && this.#isSecure(target)))
      this.#add('listener', `${setting}_REDIRECT=${target}${isTemporary ? ',temporary' : ''}`, written);
    else this.#lackOfRedirection(name, to, written);
  }

  #lackOfRedirection(name: string, to: string, written: string): void {
    this.#lack(
      written,
      `the redirection of ${name} to ${to}, which has no TLS, has no setting`,
      'write redirectScheme or redirectRegex on its routers',
    );
  }

  #nameOf(port: number): string | undefined {
    const named = [...this.#ports].find(([, each]) => each.port === port)?.[0];
    return named ?? (port === 443 ? 'https' : undefined);
  }

  /** Beside `providers.swarm` that of Docker reads containers alone, and its flags do not concern services. */
  #addProvider(): void {
    const { swarm, docker } = this.#providers;
    const flags = swarm.length > 0 ? swarm : docker;
    if (flags.length === 0) return;
    let exposed: ProviderFlags | undefined;
    for (const flag of flags) {
      const { option, value, written } = flag;
      if (option === 'exposedbydefault') exposed = flag;
      else if (option === 'defaultrule') this.#add('listener', `TRAEFIK_DEFAULT_RULE=${value}`, written);
      else if (option === 'network') this.#add('listener', `TRAEFIK_NETWORK=${value}`, written);
      else if (option === 'constraints') {
        const read = readConstraint(value);
        // One that cannot be read goes on as it is: without it more services would be served.
        this.#add('listener', `TRAEFIK_CONSTRAINTS=${value}`, written);
        if (!read.ok)
          this.#lack(written, `it cannot be read at character ${read.at}: ${read.message}`, read.suggestion);
      }
    }
    if (exposed === undefined || isTrue(exposed.value))
      this.#add('listener', 'TRAEFIK_EXPOSED_BY_DEFAULT=true', exposed?.written ?? 'Traefik’s default');
  }

  /** The path is one of Traefik's container. */
  #file(value: string, written: string): void {
    if (this.#readsFile) return;
    this.#closeTls(written);
    this.#lack(
      written,
      'its routers, services, middlewares and TLS options are not read, so routers with TLS, and those that name its middlewares, respond with 503',
      `mount ${value.slice(0, 100)} into the listener, and set TRAEFIK_FILE to its path there`,
    );
  }

  #provider(name: string, value: string, written: string): void {
    if (/^providers\.\w+$/.test(name) && /^(false|0|f)$/i.test(value)) return;
    if (withoutTlsOptions.test(name)) {
      this.#lack(written, 'its routers and middlewares are not read', 'write them as labels of services');
      return;
    }
    this.#closeTls(written);
    this.#lack(
      written,
      'its routers, middlewares and TLS options are not read, so routers with TLS respond with 503',
      'write them as labels of services, set settings of the listener equivalent to the other flags, and TRAEFIK_SERVICE=off',
    );
  }

  #closeTls(written: string): void {
    this.#closesTls ??= `${written.slice(0, 100)} may define default TLS options that demand certificates of clients, and it is not read`;
  }

  #add(of: 'listener' | 'proxy', setting: string, from: string): void {
    this.#settings.push({ of, setting, from });
  }

  #remark({ written, why, suggestion }: FlagRemark): void {
    this.#problems.push({
      severity: 'warning',
      reason: 'traefik-flag-differs',
      message: `${written.slice(0, 200)}: ${why}`,
      label: written.replace(/[=\s].*$/s, ''),
      suggestion,
    });
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
