import type { Problem } from '@swarmgate/registry';
import { isMap, isScalar, isSeq, type Pair, type Scalar } from 'yaml';
import { type Environment, interpolate } from './interpolate.ts';
import { type Aliases, pairsOf } from './yaml-nodes.ts';

export interface Position {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

export type PlacedProblem = Problem & { readonly position: Position };

export interface ReadLabels {
  readonly labels: ReadonlyMap<string, string>;
  readonly positions: ReadonlyMap<string, Position>;
  /** What `docker stack deploy` refuses, and labels that stand twice. */
  readonly problems: readonly PlacedProblem[];
}

export interface LabelSource {
  readonly yaml: Aliases;
  readonly positionOf: (node: unknown) => Position;
  readonly env: Environment;
  /** Where the labels stand, such as `services.web.deploy.labels`. */
  readonly place: string;
}

/**
 * The labels of a map or of a list of `name=value`, as `docker stack deploy` reads them: interpolated, numbers as the text that
 * Docker makes of them. Shapes and types that it refuses are problems.
 */
export function readLabels(node: unknown, source: LabelSource): ReadLabels {
  const reading = new Reading(source);
  if (isMap(node)) {
    for (const pair of pairsOf(node, source.yaml)) reading.addPair(pair);
  } else if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) reading.addItem(item, index);
  } else {
    reading.refuse(node, `${source.place} must be a map or a list`, 'write labels as name: value, or as - name=value');
  }
  return reading;
}

class Reading implements ReadLabels {
  readonly labels = new Map<string, string>();
  readonly positions = new Map<string, Position>();
  readonly problems: PlacedProblem[] = [];
  readonly #source: LabelSource;
  readonly #items = new Map<string, number>();

  constructor(source: LabelSource) {
    this.#source = source;
  }

  refuse(node: unknown, what: string, suggestion: string, label?: string): void {
    this.problems.push({
      severity: 'error',
      reason: 'stack-file-invalid',
      message: `docker stack deploy refuses the file: ${what}`,
      suggestion,
      ...(label === undefined ? {} : { label: shortName(label) }),
      position: this.#source.positionOf(node),
    });
  }

  addPair(pair: Pair): void {
    const { place } = this.#source;
    if (!isScalar(pair.key) || typeof pair.key.value !== 'string' || pair.key.value === '') {
      this.refuse(pair.key, `a name in ${place} must be a non-empty string`, 'put the name in quotes');
      return;
    }
    const name = pair.key.value;
    const value = textOf(pair.value);
    if (value === undefined) {
      this.refuse(pair.key, `${place}.${name} must be a string, number or null`, 'put the value in quotes', name);
    }
    // A refused value is still read, so that one run of the command names all that is wrong.
    this.#set(name, value ?? refusedText(pair.value), pair.key);
  }

  addItem(item: unknown, index: number): void {
    const { place } = this.#source;
    if (!isScalar(item) || typeof item.value !== 'string') {
      this.refuse(item, `${place}.${index} must be a string`, 'write it as "name=value"');
      return;
    }
    const [name, value] = split(item.value);
    const former = this.#items.get(item.value);
    if (former !== undefined) {
      this.refuse(item, `${place} items ${former} and ${index} must be unique`, 'remove one of them', name);
    } else if (this.labels.has(name)) {
      const position = this.#source.positionOf(item);
      this.problems.push({
        severity: 'warning',
        reason: 'label-duplicate',
        message: `${name} stands twice in ${place}: the last one, ${JSON.stringify(item.value)}, wins`,
        suggestion: 'remove the other one',
        label: shortName(name),
        position,
      });
    }
    this.#items.set(item.value, index);
    // Docker interpolates the whole item, so a variable may also be part of the name.
    this.#set(this.#interpolated(name, name, item), value, item);
  }

  #set(name: string, value: string, node: unknown): void {
    this.labels.set(name, this.#interpolated(value, name, node));
    this.positions.set(name, this.#source.positionOf(node));
  }

  #interpolated(text: string, name: string, node: unknown): string {
    const { value, faults } = interpolate(text, this.#source.env);
    for (const { kind, message, suggestion } of faults) {
      const position = this.#source.positionOf(node);
      this.problems.push({ severity: 'error', reason: kind, message, suggestion, label: shortName(name), position });
    }
    return value;
  }
}

/** As Docker writes the value; `undefined`: it refuses the type. */
function textOf(value: unknown): string | undefined {
  if (value === null) return '';
  if (!isScalar(value)) return undefined;
  const { value: content } = value;
  if (content === null || content === undefined) return '';
  if (typeof content === 'string')
    return value.type === 'PLAIN' && value.tag === undefined ? plainText(value) : content;
  if (typeof content === 'bigint') return integerText(octal(value.source) ?? content);
  if (typeof content === 'number') return Number.isFinite(content) ? String(content) : undefined;
  return undefined;
}

/** Numbers that Go's YAML parser reads beyond the core schema of YAML 1.2: `1_000`, `0b11`. */
function plainText({ value }: Scalar): string {
  const text = String(value);
  if (/^[-+]?0b[01_]+$/.test(text)) return signed(text);
  if (/^[-+]?\d[\d_]*$/.test(text) && text.includes('_')) return signed(text);
  return text;
}

/** A leading zero makes an octal number in Go's YAML 1.1, and none in YAML 1.2. */
function octal(source: string | undefined): bigint | undefined {
  return source !== undefined && /^0[0-7]+$/.test(source) ? BigInt(`0o${source}`) : undefined;
}

function signed(text: string): string {
  const value = BigInt(text.replace(/^[-+]|_/g, ''));
  return String(text.startsWith('-') ? -value : value);
}

/** Integers beyond 64 bits become floating-point numbers in Go. */
function integerText(value: bigint): string {
  return value >= -(2n ** 63n) && value < 2n ** 64n ? String(value) : String(Number(value));
}

function refusedText(value: unknown): string {
  return isScalar(value) ? String(value.value) : '';
}

function split(item: string): readonly [string, string] {
  const equals = item.indexOf('=');
  return equals === -1 ? [item, ''] : [item.slice(0, equals), item.slice(equals + 1)];
}

function shortName(label: string): string {
  return label.replace(/^com\.df\./, '');
}
