import type { LabelEntry } from '../catalogue/label-entry.ts';
import { type KnownLabel, labelNames, overridableLabels } from '../catalogue/labels.ts';
import type { OtherLabel } from '../catalogue/other-labels.ts';
import type { Problem } from '../definition/problem.ts';
import { looksLikeCredential, mayHoldCredential, withoutQuotes } from '../values/credentials.ts';
import { nearestName } from '../values/nearest-name.ts';
import type { ParsedLabel } from '../values/value.ts';
import { type GivenParameter, mostIndex } from './label-parameters.ts';

/** The problems of labels that cannot be used as they stand. Pure. */

type FieldLabel = Exclude<KnownLabel, { readonly scope: 'other' }>;

/** The value of an unknown label is never shown: it may be a misspelt `users`. */
export function unknownProblem({ fullName, name }: GivenParameter): Problem {
  const nearest = nearestName(name, labelNames());
  return {
    severity: 'warning',
    reason: 'label-unknown',
    message: `there is no label ${fullName}; it is ignored`,
    label: fullName,
    ...(nearest === undefined ? {} : { suggestion: `did you mean ${nearest}?` }),
  };
}

export function labelProblem(other: OtherLabel, { fullName, value }: GivenParameter): Problem | undefined {
  switch (other.kind.kind) {
    case 'listener':
      return undefined;
    case 'deprecated':
      return {
        severity: 'warning',
        reason: 'label-deprecated',
        message: `${fullName} is deprecated; it still works`,
        label: fullName,
        value: shownText(value, mayHoldCredential),
        suggestion: `use ${other.kind.replacement}`,
      };
    case 'ignored':
      return {
        severity: 'warning',
        reason: 'label-ignored',
        message: `${fullName} has no effect: ${other.kind.why}`,
        label: fullName,
        value: shownText(value, mayHoldCredential),
        suggestion: 'leave it out',
      };
    case 'refused':
      return {
        severity: 'error',
        reason: 'label-refused',
        message: `${fullName} is not supported: there is no HAProxy underneath that could read it`,
        label: fullName,
        value: shownText(value, mayHoldCredential),
        suggestion: other.kind.replacement,
      };
  }
}

/** An index where none can be, or one that leads to no destination. Access rules that protect nothing are errors. */
export function destinationProblem(
  known: FieldLabel,
  { fullName, index }: GivenParameter,
  indexes: readonly number[],
): Problem | undefined {
  if (fullName === known.entry.name || (index === 0 && !fullName.includes('.'))) return undefined;
  const isOverridable = known.scope === 'service' && Object.hasOwn(overridableLabels, known.field);
  if (isOverridable && index > 0 && indexes.includes(index)) return undefined;
  const severity = known.entry.restricts !== undefined ? 'error' : 'warning';
  if (known.scope === 'service' && !isOverridable) {
    return {
      severity,
      reason: 'label-not-indexed',
      message: `${known.entry.name} holds for the whole service; ${fullName} is ignored`,
      label: fullName,
      suggestion: `write ${known.entry.name} without an index`,
    };
  }
  if (indexes.includes(index) && index > 0) return undefined;
  return {
    severity,
    reason: 'label-index-unused',
    message: `${fullName} is ignored: destinations are counted from 1 to ${mostIndex} without a gap, and there is none with the index ${index}`,
    label: fullName,
    suggestion: `give that destination a servicePath, serviceDomain, port or httpsPort, and all before it`,
  };
}

export function valueProblem(
  entry: LabelEntry,
  { fullName, value }: GivenParameter,
  parsed: ParsedLabel<unknown>,
): Problem | undefined {
  const shown = shownValue(entry, value);
  if (parsed.ok) {
    const { warning } = parsed;
    if (warning === undefined) return undefined;
    const message = shown === hidden ? withoutQuotes(warning.message) : warning.message;
    return { severity: 'warning', ...warning, message, label: fullName, value: shown };
  }
  return {
    // A label that restricts access is never ignored, not even where Docker Flow would.
    severity: entry.restricts !== undefined ? 'error' : (parsed.severity ?? 'error'),
    reason: parsed.reason ?? 'label-value-invalid',
    message:
      shown === hidden
        ? `${fullName} is ${hidden}: expected ${entry.secret === true ? parsed.expected : withoutQuotes(parsed.expected)}`
        : `${fullName} is ${JSON.stringify(shown)}: expected ${parsed.expected}`,
    label: fullName,
    value: shown,
    suggestion:
      parsed.suggestion ?? (entry.secret ? `see ${entry.name} in docs/labels.md` : `write it like ${entry.example}`),
  };
}

export function deprecatedProblem(known: FieldLabel, { fullName, value }: GivenParameter): Problem {
  return {
    severity: 'warning',
    reason: 'label-deprecated',
    message: `${fullName} is deprecated; it still works`,
    label: fullName,
    value: shownValue(known.entry, value),
    suggestion: `use ${known.entry.name}`,
  };
}

const hidden = '(secret)';

function shownValue(entry: LabelEntry, value: string): string {
  return entry.secret === true ? hidden : shownText(value, entry.holdsCredential ?? looksLikeCredential);
}

function shownText(value: string, holdsCredential: (value: string) => boolean): string {
  return holdsCredential(value) ? hidden : shortened(value);
}

function shortened(value: string): string {
  return value.length > 200 ? `${value.slice(0, 200)}…` : value;
}
