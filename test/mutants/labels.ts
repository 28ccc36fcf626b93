import { faultsIn, type Mutant } from './mutant.ts';

const labels = 'packages/labels/src';
const values = `${labels}/values`;
const traefik = `${labels}/traefik`;

/** Values of labels, their checks, and the translation of both families. */
export const labelMutants: readonly Mutant[] = [
  ...faultsIn(
    'packages/labels/src/traefik/combined-target.ts',
    ['packages/labels/src/traefik/combined-target.test.ts'],
    [
      ['a service without requests gets some', 'if (weight > 0) parts.push(', 'parts.push('],
      [
        'a missing service is left out',
        'if (!found.ok) return found;\n    const fault = faultOf(found.target);\n    if (fault !== undefined) return notServed(service, `${service.value.trim()} ${fault}`);\n    problems.push(...found.problems);\n    if (weight',
        'if (!found.ok) continue;\n    const fault = faultOf(found.target);\n    if (fault !== undefined) return notServed(service, `${service.value.trim()} ${fault}`);\n    problems.push(...found.problems);\n    if (weight',
      ],
      ['schemes are mixed', "differs('protocol') || differs('sslVerifyNone')", 'false'],
      ['a fallback shares the requests', 'backupServers: backups.map(textOfServer)', ''],
      ['each server counts as a service', 'BigInt(weight * own) * common', 'BigInt(weight * own) * BigInt(total)'],
    ],
  ),
  ...faultsIn(
    `${traefik}/service-stickiness.ts`,
    [`${traefik}/service-stickiness.test.ts`],
    [
      ['a script may read a sticky cookie by default', "given.has('httponly') && !isTrue", '!isTrue'],
      ['a sticky cookie that ends at once stays', ".replace(/^-\\d+$/, '0')", ''],
    ],
  ),
  ...faultsIn(
    `${values}/cookie-attributes.ts`,
    [`${values}/cookie-attributes.test.ts`],
    [
      ['a definition writes lines into a cookie', "\n      .overwrite((text) => normalized(text) ?? '')", ''],
      ['an attribute stands twice', ' || written.has(key)', ''],
      ['a cookie of another site is not secure', "if (written.get('samesite') === 'SameSite=None')", 'if (false)'],
      ['a path ends its cookie', '/^\\/[\\x21-\\x3a\\x3c-\\x7e]*$/', '/^\\//'],
    ],
  ),
  ...faultsIn(
    `${traefik}/health-check.ts`,
    [`${traefik}/health-check.test.ts`],
    [
      [
        'a health check of another port is made at the port of the service',
        ' || others.length > 0) return {}',
        ') return {}',
      ],
      ['a credential of a health check is shown', "{ ...given, value: '…' }", 'given'],
      ['a health check of a host is made without it', 'hostname: () => false', 'hostname: () => true'],
    ],
  ),
  ...faultsIn(
    `${traefik}/target-service.ts`,
    [`${traefik}/tcp-services.test.ts`],
    [
      ['a service of TCP gets no PROXY header', '        ...proxyHeader,\n', ''],
      ['a service that takes TLS gets plain text', 'tls !== undefined && isTrue(tls.value)', 'false'],
      [
        'a PROXY header of an unknown version is left out',
        "  if ('severity' in proxyHeader) return { ok: false, problems: [proxyHeader] };\n",
        "  if ('severity' in proxyHeader) problems.push(proxyHeader);\n",
      ],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/routing/compile-service.ts',
    ['packages/proxy/src/routing/create-route-table.test.ts'],
    [['requests go without a PROXY header to a service that takes one', ' ?? ofRelays);', ');']],
  ),
  ...faultsIn(
    'packages/proxy/src/server/relay/relays.ts',
    ['packages/proxy/src/server/relay/relays.test.ts'],
    [
      [
        "a PROXY header goes to another service's endpoint",
        'route?.destination.sendProxyHeader',
        'routes[0]?.destination.sendProxyHeader',
      ],
      [
        'an endpoint that leaves its service meanwhile gets no PROXY header',
        'route?.destination.sendProxyHeader',
        'routes.find((each) => this.#options.upstreams.of(each).endpoints.length > 0)?.destination.sendProxyHeader',
      ],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/server/relay/relayed-connection.ts',
    ['packages/proxy/src/server/relay/relays.test.ts'],
    [
      [
        "the client's bytes go before the PROXY header",
        'Buffer.concat([greeting, firstBytes])',
        'Buffer.concat([firstBytes])',
      ],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/server/proxy-protocol/sent-header.ts',
    ['packages/proxy/src/server/proxy-protocol/sent-header.test.ts'],
    [
      ['the end of an IPv6 address stands at its beginning', '(8 - last.length + at) * 2', 'at * 2'],
      [
        'an IPv4 address is cut into one of IPv6',
        'const isBoth4 = isIPv4(from) && isIPv4(to);',
        'const isBoth4 = isIPv4(from);',
      ],
    ],
  ),
  ...faultsIn(
    `${values}/split.ts`,
    [`${values}/split.test.ts`],
    [
      [
        'a comma behind a backslash cuts',
        'const isEscaped = text.startsWith(separator, at + 1);',
        'const isEscaped = false;',
      ],
      [
        'a comma in closed brackets cuts',
        'const close = closes.get(at);',
        'const close: number | undefined = undefined;',
      ],
      ['a bracket closes in a class', "if (character === ']' && !isFirst) {", "if (character === ']') {"],
      ['a quote that text follows delimits', 'if (!/\\s/.test(text.charAt(next))) return undefined;', ''],
    ],
  ),
  ...faultsIn(
    `${values}/nearest-name.ts`,
    [`${values}/nearest-name.test.ts`],
    [
      ['two letters that are swapped are two mistakes', 'if (row > 1 && column > 1 && ', 'if (false && '],
      ['any name is near to a short one', 'Math.max(1, Math.min(3, Math.floor(name.length / 3))) + 1', '4'],
    ],
  ),
  ...faultsIn(
    `${values}/header-rules.ts`,
    [
      `${values}/header-rules.test.ts`,
      `${labels}/docker-flow/parameter-problems.test.ts`,
      `${labels}/docker-flow/label-values.test.ts`,
    ],
    [
      ['a label sends a secret of the proxy to its service', 'if (!isSecretVariable(variable)) continue;', 'continue;'],
      ['a condition that is not known is part of the value', 'if (conditional === null && ', 'if (false && '],
      [
        'a required header named __proto__ opens the route',
        "if (!isToken(name) || name === '__proto__' || ",
        'if (!isToken(name) || ',
      ],
      ['the last colon of a pair splits', "part.indexOf(':')", "part.lastIndexOf(':')"],
      [
        'a quote that is never closed is data',
        'if (close === undefined) return undefined;',
        'if (close === undefined) return text;',
      ],
    ],
  ),
  ...faultsIn(
    `${values}/rule-matchers.ts`,
    [`${values}/read-rule.test.ts`],
    [
      [
        'several values of one matcher must all hold',
        "combined('any', values.map(build))",
        "combined('all', values.map(build))",
      ],
      ['names of matchers have a case', 'byName.get(name.toLowerCase())', 'byName.get(name)'],
    ],
  ),
  ...faultsIn(
    `${traefik}/constraints.ts`,
    [`${traefik}/constraints.test.ts`],
    [
      ['`!` selects what it excludes', 'holds: (labels) => !part.holds(labels) }', 'holds: part.holds }'],
      ['`||` binds more than `&&`', "operator === '||' ? this.#joined('&&') : this.#factor()", 'this.#factor()'],
      ['all parts of `||` must hold', 'parts.some((part) => part(labels))', 'parts.every((part) => part(labels))'],
      ['text behind a constraint is ignored', "read.ok && rest.kind !== 'end' ? ", 'false ? '],
    ],
  ),
  ...faultsIn(
    `${traefik}/network.ts`,
    [`${traefik}/network.test.ts`],
    [
      [
        'the label of Docker comes before that of Swarm',
        "['traefik.swarm.network', 'traefik.docker.network']",
        "['traefik.docker.network', 'traefik.swarm.network']",
      ],
      [
        'an empty label names a network',
        "if (label !== undefined && name !== '') return",
        'if (label !== undefined) return',
      ],
      [
        'a service without a network is served',
        "severity: 'error',\n      reason: 'network-not-shared',",
        "severity: 'warning',\n      reason: 'network-not-shared',",
      ],
    ],
  ),
  ...faultsIn(
    `${traefik}/shared-names.ts`,
    [`${traefik}/shared-names.test.ts`, `${traefik}/translate-traefik.test.ts`],
    [
      [
        'the newer of two definitions holds',
        'return one < other ? -1 : one > other ? 1 : 0;',
        'return one > other ? -1 : one < other ? 1 : 0;',
      ],
      [
        'a name of another provider is one of the Swarm',
        '/^(docker|swarm)$/.test(provider) ? reference.slice(0, at) : undefined',
        'reference.slice(0, at)',
      ],
      ['equal definitions of two services are a conflict', ' || !isSame(known.options, options))', ' || true)'],
    ],
  ),
  ...faultsIn(
    `${traefik}/router-issuer.ts`,
    [
      `${traefik}/shared-names.test.ts`,
      `${traefik}/translate-traefik.test.ts`,
      `${traefik}/entrypoint-options.test.ts`,
    ],
    [['a router without a resolver orders a certificate', 'return { acme: false };', 'return {};']],
  ),
  ...faultsIn(
    `${traefik}/router-rule.ts`,
    [`${traefik}/router-rule.test.ts`],
    [
      [
        'an unreadable template of the default rule is dropped',
        'key === undefined ? whole : ',
        "key === undefined ? '' : ",
      ],
      ['a rule is as long as its characters, not its bytes', 'Buffer.byteLength(text)', 'text.length'],
    ],
  ),
  ...faultsIn(
    `${traefik}/tcp-routers.ts`,
    [`${traefik}/shared-names.test.ts`, `${traefik}/translate-traefik.test.ts`],
    [
      ['a TCP router without TLS is served by name', "if (reqMode === 'tcp' && !names.includes('*'))", 'if (false)'],
      ['middlewares of a TCP router are ignored', 'middlewares.uses.length === 0 ?', 'true ?'],
      [
        'TLS options that restrict are ignored',
        "if (reqMode === 'tls' && tlsOptions !== undefined",
        'if (false && tlsOptions !== undefined',
      ],
      ['TLS that is passed through is ended', "'sni' : 'tls'", "'tls' : 'sni'"],
    ],
  ),
  ...faultsIn(
    `${labels}/middlewares/circuit-expression.ts`,
    [`${labels}/middlewares/circuit-expression.test.ts`],
    [
      ['no responses are a ratio of NaN', 'return whole === 0 ? 0 : part / whole;', 'return part / whole;'],
      ['text behind a condition is ignored', 'if (this.#at < this.#tokens.length) throw new NotRead();', ''],
      ['`&&` holds where one part does', 'all.every((each) => each(figures))', 'all.some((each) => each(figures))'],
    ],
  ),
  ...faultsIn(
    `${labels}/middlewares/option-values.ts`,
    [`${labels}/middlewares/option-values.test.ts`],
    [
      ['a URL may hold a password', "username === '' && password === '' && hash === ''", "hash === ''"],
      ['a number without a unit is milliseconds', "units[match?.[2] ?? 's']", "units[match?.[2] ?? 'ms']"],
      ['a KB is 1,000 bytes', '1024 ** power', '1000 ** power'],
      ['a plain password is a hash', 'hash !== undefined && isPasswordHash(hash)', 'hash !== undefined'],
    ],
  ),
  ...faultsIn(
    `${labels}/docker-flow/default-labels.ts`,
    [`${labels}/docker-flow/default-labels.test.ts`],
    [
      [
        '`none` keeps the default of a service',
        '...given.filter((each) => !isNone(each)), ...added]',
        '...given, ...added]',
      ],
      ['a default replaces the service’s own label', 'set.has(name) ? [] : [', 'false ? [] : ['],
    ],
  ),
  ...faultsIn(
    `${labels}/docker-flow/label-parameters.ts`,
    [`${labels}/docker-flow/translate-parameters.test.ts`],
    [
      [
        'destinations behind a gap are served',
        'index <= mostIndex && founded.has(index)',
        'index <= Math.max(...founded)',
      ],
      ['an empty label is set', " || value === '') continue;", ') continue;'],
    ],
  ),
];
