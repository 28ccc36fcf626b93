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
    `${registry}/journal/head.ts`,
    [`${registry}/journal/head.test.ts`, `${registry}/journal/read.test.ts`],
    [
      [
        'a backup that was written again is taken for what was known before',
        'undefined : entry.index === headIndex',
        'undefined : true',
      ],
      [
        'a backup that was written as often is taken for what was known before',
        'return present.headIndex === headIndex;',
        'return true;',
      ],
    ],
  ),
  ...faultsIn(
    `${registry}/journal/read.ts`,
    [`${registry}/journal/read.test.ts`],
    [['documents of another store are taken for those of the same index', '?? !known.isInterrupted', '?? true']],
  ),
  ...faultsIn(
    'packages/swarm-listener/src/publishing/registered-services.ts',
    ['packages/swarm-listener/src/publishing/registered-services.test.ts'],
    [
      [
        'a listener takes its writes for kept in a registry that was restored since',
        " && cause !== 'index-backwards'",
        '',
      ],
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
  ...faultsIn(
    `${registry}/session/presence.ts`,
    [`${registry}/session/presence.test.ts`],
    [
      [
        'one that stopped during a loss of sessions holds up every change',
        'await this.#announcing;\n    await this.#leaveNote();',
        'await this.#announcing;',
      ],
      ['one that stops leaves a note for ten seconds', ' || this.#endedWithKey', ''],
      [
        'replicas are forgotten where the registry did not respond',
        '        this.#barrier.sessionLost();\n        logger',
        '        logger',
      ],
    ],
  ),
  ...faultsIn(
    `${registry}/session/presence.ts`,
    [`${registry}/session/draining-replicas.test.ts`],
    [
      ['a replica that drains reports it with its next report only', 'if (this.#report !== undefined) this.report', ''],
      ['a report ends the mark', 'this.#isDraining ? { ...status, draining: true } : status', 'status'],
      [
        'one that drains and loses its session holds up every change',
        'if (!signal.aborted) await this.#leaveNote();',
        '',
      ],
      ['a drain is written late', ' || (this.#isDraining && written?.draining !== true)', ''],
      ['a replica that drains takes its key back from the next of its name', ' && !this.#isDraining) {', ') {'],
      ['replicas that drain are not listed', '[...listed.live, ...listed.draining]', '[...listed.live]'],
    ],
  ),
  ...faultsIn(
    `${registry}/session/replica-status.ts`,
    [`${registry}/session/draining-replicas.test.ts`],
    [
      [
        'older versions wait for a replica that drains',
        'draining === true ? { draining: status } : status',
        '{ ...status, draining }',
      ],
    ],
  ),
  ...faultsIn(
    `${registry}/session/replica-barrier.ts`,
    [`${registry}/session/draining-replicas.test.ts`],
    [['the own mark is a lost session', ' || drains.includes(own().replica)', '']],
  ),
  ...faultsIn(
    `${registry}/session/replica-barrier.ts`,
    [`${registry}/session/presence.test.ts`],
    [
      [
        'one that stopped after it was there again holds up changes',
        'this.#lost = this.#lost.filter(({ replica }) => !gone.has(replica));',
        '',
      ],
      ['a note of a stop is not read', 'const ended = [...left, ...drains]', 'const ended = drains'],
      [
        'a replica whose session was lost counts as serving',
        '({ ...status, sequence: -1, reload: undefined })',
        'status',
      ],
      [
        'replicas whose sessions were lost with its own do not count',
        'if (!isListed && isWritten() && !isLost()) this.sessionLost();',
        '',
      ],
    ],
  ),
  ...faultsIn(
    `${registry}/store/listed-items.ts`,
    [`${registry}/store/listed-items.test.ts`],
    [
      ['a list holds up everything until it is read', 'if (slices.isOver()) await slices.next(signal);', ''],
      ['an escaped quote ends a text', 'if (byte === backslash) at++;\n      else if', 'if'],
      [
        'bytes behind a list are passed over',
        "if (skipSpace(json, from) !== json.length) throw new SyntaxError('bytes follow the list');",
        '',
      ],
      ['an object within an item ends it', '&& --depth === 0', ''],
    ],
  ),
  ...faultsIn(
    `${registry}/slices.ts`,
    [`${registry}/store/listed-items.test.ts`],
    [
      ['slices last for ever', ' && performance.now() >= this.#endAtMs', ' && false'],
      ['what has ended goes on', 'undefined, { signal }', 'undefined'],
    ],
  ),
];
