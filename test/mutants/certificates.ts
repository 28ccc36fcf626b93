import { faultsIn, type Mutant } from './mutant.ts';

const acme = 'packages/acme/src';

/** Decisions of ordering certificates, names, and what operators read of them. */
export const certificateMutants: readonly Mutant[] = [
  ...faultsIn(
    `${acme}/orders/budget.ts`,
    [`${acme}/orders/budget.test.ts`],
    [
      ['one order more than the limit is sent', 'spent.length < most) continue;', 'spent.length <= most) continue;'],
      ['a renewal that the CA suggested is counted for its set', '  if (!exempt) {\n', '  {\n'],
      ['a limit is free again with the newest order', 'a - b)[spent.length - most]', 'b - a)[spent.length - most]'],
      ['an order without a certificate spends its set', 'if (at !== -1) moments.splice(at, 1);', ''],
      [
        'failures are never forgotten',
        'failures: recentOf(budget.failures, windowsMs.failures),',
        'failures: budget.failures,',
      ],
      ['names below a private suffix share a domain', 'allowPrivateDomains: true', 'allowPrivateDomains: false'],
      ['the order of names makes another set', 'names.toSorted().join', 'names.join'],
    ],
  ),
  ...faultsIn(
    `${acme}/orders/retry-schedule.ts`,
    [`${acme}/orders/retry-schedule.test.ts`],
    [
      [
        'the CA’s retry time has no effect',
        'Math.max(firstWaitsMs[failures - 1] ?? dailyMs, retryAfterMs)',
        'firstWaitsMs[failures - 1] ?? dailyMs',
      ],
      ['the first failure waits as long as the second', 'firstWaitsMs[failures - 1]', 'firstWaitsMs[failures]'],
    ],
  ),
  ...faultsIn(
    `${acme}/orders/renewal-time.ts`,
    [`${acme}/orders/renewal-time.test.ts`],
    [
      ['a short certificate is renewed at two thirds', 'lifeMs < shortLifeMs ? lifeMs / 2 : ', ''],
      ['a window behind the end of a certificate is taken', 'return Math.min(chosenMs, latestMs);', 'return chosenMs;'],
      ['a CA may demand a look each second', 'Math.max(requiredMs, 60_000)', 'requiredMs'],
      [
        'a short certificate is a problem all its life',
        'Math.min(14 * dayMs, (notAfterMs - notBeforeMs) / 3)',
        '14 * dayMs',
      ],
    ],
  ),
  ...faultsIn(
    `${acme}/orders/plan-orders.ts`,
    [`${acme}/orders/plan-orders.test.ts`],
    [
      [
        'a failing wildcard covers its names',
        ' && !isFailing(states, name)).map(({ name }) => name),',
        ').map(({ name }) => name),',
      ],
      ['an operator’s request waits for the next attempt', 'requested.has(name) ? nowMs : ', ''],
      ['an order in progress is begun again', ' || inProgress.has(name) || ', ' || '],
      [
        'a certificate is replaced twice',
        "return at === 0 ? { names: group, reason: 'renewal', renews }",
        "return at >= 0 ? { names: group, reason: 'renewal', renews }",
      ],
      ['the oldest of several certificates is replaced', 'a.notAfterMs - b.notAfterMs', 'b.notAfterMs - a.notAfterMs'],
      [
        'a certificate goes when one of its names has a later one',
        'certificate.names.every(',
        'certificate.names.some(',
      ],
      ['an ended certificate stays', 'if (certificate.notAfterMs <= nowMs) return true;', ''],
    ],
  ),
  ...faultsIn(
    `${acme}/names/name-kind.ts`,
    [`${acme}/names/name-kind.test.ts`],
    [
      ['a wildcard stands for two labels', 'name.slice(dot) === covering.slice(1)', 'name.endsWith(covering.slice(1))'],
      ['a carrier’s private addresses are public', "  ['100.64.0.0', 10],\n", ''],
    ],
  ),
  ...faultsIn(
    `${acme}/names/group-names.ts`,
    [`${acme}/names/select-names.test.ts`, `${acme}/orders/plan-orders.test.ts`],
    [
      [
        'an order has more names than the limit',
        'group === undefined || group.length === mostNamesOfOrder',
        'group === undefined',
      ],
      [
        'a failing name holds up the others',
        'isFailing(each.name) ? `failing ${each.name}` : sharingKey(each)',
        'sharingKey(each)',
      ],
    ],
  ),
  ...faultsIn(
    `${acme}/names/objections.ts`,
    [`${acme}/names/objections.test.ts`],
    [
      ['a name that ends with a number is ordered', "if (/^\\d+$/.test(labels.at(-1) ?? ''))", 'if (false)'],
      ['a label may begin with a hyphen', '/^(?!-)[a-z0-9-]', '/^[a-z0-9-]'],
      ['a public CA is queried for .internal', 'abilities.publicCa && notPublic.test(plain)', 'false'],
      ['a wildcard is ordered without access to DNS', "kind === 'wildcard' && !abilities.dns", 'false'],
    ],
  ),
  ...faultsIn(
    `${acme}/names/select-names.ts`,
    [`${acme}/names/select-names.test.ts`],
    [
      ['a name with a better certificate is ordered', ' || isCovered(name, covering)) continue;', ') continue;'],
      [
        'ACME_DOMAINS allows names beside its wildcard',
        'name.endsWith(normal.slice(1))',
        'name.endsWith(normal.slice(2))',
      ],
      ['an address is proved by DNS', "kind !== 'ip' && rules.canWriteDns(name)", 'rules.canWriteDns(name)'],
      ['a wildcard is proved by http-01', "if (kind === 'wildcard' && challenge !== 'dns-01') return false;", ''],
    ],
  ),
  ...faultsIn(
    `${acme}/ordering/leading-orderer.ts`,
    [`${acme}/ordering/leading-orderer.test.ts`],
    [['orders are planned before what was lost is back', 'await requests.takeAll(this.#signal);', '']],
  ),
  ...faultsIn(
    `${acme}/ordering/requests.ts`,
    [`${acme}/ordering/requests.test.ts`],
    [
      ['a certificate wins over a later one of its transaction', 'documents.get(key) ?? writer', 'writer'],
      ['what comes to the inbox meanwhile is left there', 'taken += 1;', ''],
      ['each request is a transaction', 'documents.size < mostDocumentsAtOnce && ', 'documents.size < 1 && '],
    ],
  ),
  ...faultsIn(
    `${acme}/ordering/choose-order.ts`,
    [`${acme}/ordering/choose-order.test.ts`],
    [
      ['a fourth failure stays at its issuer', 'Math.floor(failures / failuresOfIssuer)', '0'],
      ['an issuer that does not respond is queried for ever', 'awayFailures(each) < failuresOfIssuer', 'true'],
      ['a name is rehearsed again after its rehearsal', 'failures > 0 && !rehearsed && ', 'failures > 0 && '],
      [
        'the first challenge is tried for ever',
        'first.challenges[failures % first.challenges.length]',
        'first.challenges[0]',
      ],
      ['an address is ordered with a long life', "nameKind(first.name) === 'ip' ? shortLived : ", ''],
    ],
  ),
  ...faultsIn(
    `${acme}/orders/next-step.ts`,
    [`${acme}/orders/next-step.test.ts`],
    [
      [
        'a proof for a name that was not ordered is published',
        '  if (foreign !== undefined) return refused(',
        '  if (false) return refused(',
      ],
      ['a challenge is reported twice', ' || reported.has(found.url)) return [];', ') return [];'],
      ['an address is a DNS name', " && (nameKind(name) === 'ip') === (authorization.identifier.type === 'ip')", ''],
      ['a CA’s CAA record is blamed on no name', 'if (!failures.has(name)) failures.set(name, of);', ''],
    ],
  ),
];
