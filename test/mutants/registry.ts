import { faultsIn, type Mutant } from './mutant.ts';

const registry = 'packages/registry/src';

/** Documents, their secrets and checks, locks and hints. */
export const registryMutants: readonly Mutant[] = [
  ...faultsIn(
    `${registry}/definition/carry-since.ts`,
    [`${registry}/definition/carry-since.test.ts`],
    [
      [
        'a changed label makes a match new',
        'known.get(matchKey(destination, next.serviceDomainAlgo)) ?? nowMs',
        'nowMs',
      ],
      [
        'the newest date of a match counts',
        'Math.min(destination.since, known.get(key) ?? nowMs)',
        'Math.max(destination.since, known.get(key) ?? 0)',
      ],
      ['a match keeps its age under other excluded paths', '    sorted(destination.servicePathExclude),\n', ''],
      ['the order of paths makes a match new', 'return (values ?? []).toSorted();', 'return values ?? [];'],
    ],
  ),
  ...faultsIn(
    `${registry}/definition/same-definition.ts`,
    [
      `${registry}/journal/documents.test.ts`,
      `${registry}/journal/publish.test.ts`,
      'packages/swarm-listener/src/publishing/plan.test.ts',
    ],
    [
      ['the time of writing is a difference', 'updatedAt: _updatedAt, source, ...rest', 'source, ...rest'],
      ['another version of a Swarm service is a difference', '{ ...source, versionIndex: 0 }', '{ ...source }'],
    ],
  ),
  ...faultsIn(
    `${registry}/definition/seal.ts`,
    [`${registry}/definition/seal.test.ts`],
    [
      [
        'an unchanged password gets another hash',
        'if (known !== undefined && (await fits(password, known))) return',
        'if (false) return',
      ],
      ['a changed password keeps its hash', '(await fits(password, known))) return', 'true) return'],
      ['a certificate stays sealed with the former key', 'opened.keyId === first.id && ', ''],
      [
        'any number of plain passwords is hashed',
        'if (secrets.passwords.size > mostPasswords) return',
        'if (false) return',
      ],
      ['two callers hash at the same time', 'const turn = hashing.then(hash);', 'const turn = hash();'],
    ],
  ),
  ...faultsIn(
    `${registry}/definition/check-endpoints.ts`,
    [`${registry}/definition/check-definition.test.ts`],
    [
      [
        'a wrong task is served',
        'if (parsed.success) return [parsed.data];',
        'if (parsed.success || value !== null) return [value as T];',
      ],
      [
        'a text in place of tasksOnly opens published ports',
        '(document.data.tasksOnly ?? false) === false',
        'document.data.tasksOnly !== true',
      ],
    ],
  ),
  ...faultsIn(
    `${registry}/definition/unknown-restrictions.ts`,
    [`${registry}/definition/unknown-fields.test.ts`, `${registry}/definition/check-definition.test.ts`],
    [
      [
        'a misspelt restricting label is ignored',
        'if (nearest !== undefined && isRestricting(nearest)) return true;',
        '',
      ],
      ['a field of a later version that restricts is ignored', 'restrictingWords.has(word.toLowerCase())', 'false'],
      ['a restricting field of a destination is ignored', 'requiring(destination, ofEach[at] ?? [])', 'destination'],
    ],
  ),
  ...faultsIn(
    `${registry}/journal/hint-limiter.ts`,
    [`${registry}/journal/hint-limiter.test.ts`],
    [
      ['false hints cost a read each', 'Math.min(mostBetweenReadsMs, this.#betweenMs * 2)', 'leastBetweenReadsMs'],
      ['true hints are read as rarely as false ones', 'isTrue ? leastBetweenReadsMs : ', ''],
    ],
  ),
];
