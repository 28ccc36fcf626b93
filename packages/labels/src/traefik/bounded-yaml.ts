import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLMap,
} from 'yaml';

/**
 * What one document may hold. `tokens` are pieces of its text, comments and line ends among them; `nodes` are keys and values
 * with those that aliases repeat. The time to read a document grows with its tokens: a second at the most.
 */
export const yamlBounds = {
  bytes: 1_048_576,
  tokens: 250_000,
  depth: 50,
  tags: 1_000,
  aliases: 1_000,
  nodes: 200_000,
} as const;

export interface YamlFault {
  readonly kind: 'syntax' | 'bound';
  /** From 1. */
  readonly line?: number;
  /** Of a bound: a sentence about "it". */
  readonly message: string;
  /** Of the parser: `MULTIPLE_DOCS`, … */
  readonly code?: string;
}

export interface BoundedYaml {
  readonly document: Document.Parsed;
  lineAt(node: unknown): number | undefined;
  lineOf(offset: number): number;
  /** What an alias stands for, other nodes as they are. */
  resolved(node: unknown): unknown;
}

export type ReadYaml =
  | { readonly ok: true; readonly yaml: BoundedYaml }
  | { readonly ok: false; readonly fault: YamlFault };

export interface YamlOptions {
  readonly intAsBigInt?: boolean;
  /** `false`: names may stand twice in one map, and the caller looks. Default `true`. */
  readonly uniqueKeys?: boolean;
}

/** Parses one document with merge keys, in a time that its bounds limit. Never throws. */
export function readYaml(text: string, { intAsBigInt = false, uniqueKeys = true }: YamlOptions = {}): ReadYaml {
  const lines = new LineCounter();
  try {
    checkTokens(text);
    // Each error with its lines, and each name compared with each other one, would take a time that grows with the square.
    const parsing = { lineCounter: lines, merge: true, intAsBigInt, uniqueKeys: false, prettyErrors: false };
    const document = parseDocument(text, parsing);
    const [error] = document.errors;
    // The parser calls itself for each level, and reports where that failed.
    if (error?.code === 'RESOURCE_EXHAUSTION') throw new Stop(tooDeep);
    if (error !== undefined)
      return {
        ok: false,
        fault: { kind: 'syntax', line: lines.linePos(error.pos[0]).line, message: error.message, code: error.code },
      };
    const lineOf = (offset: number) => lines.linePos(offset).line;
    const nodes = new Nodes(uniqueKeys);
    nodes.walk(document.contents, 0);
    const yaml: BoundedYaml = {
      document,
      lineOf,
      lineAt: (node) => {
        const offset = offsetOf(node);
        return offset === undefined ? undefined : lineOf(offset);
      },
      resolved: (node) => (isAlias(node) ? nodes.targets.get(node) : node),
    };
    return { ok: true, yaml };
  } catch (error) {
    if (error instanceof Stop) {
      const { kind, offset, message } = error;
      return {
        ok: false,
        fault: { kind, message, ...(offset === undefined ? {} : { line: lineIn(text, offset) }) },
      };
    }
    if (error instanceof RangeError) return { ok: false, fault: { kind: 'bound', message: tooDeep } };
    throw error;
  }
}

const tooDeep = `it is nested deeper than ${yamlBounds.depth} levels`;

class Stop extends Error {
  readonly kind: YamlFault['kind'];
  readonly offset: number | undefined;

  constructor(message: string, offset?: number, kind: YamlFault['kind'] = 'bound') {
    super(message);
    this.offset = offset;
    this.kind = kind;
  }
}

/** Before the parser makes objects of them. */
function checkTokens(text: string): void {
  const { bytes, tokens: most, depth, tags: mostTags, aliases: mostAliases } = yamlBounds;
  if (Buffer.byteLength(text) > bytes) throw new Stop(`it is larger than ${bytes} bytes`);
  let tokens = 0;
  let tags = 0;
  let aliases = 0;
  let open = 0;
  let offset = 0;
  let isScalarNext = false;
  for (const token of new Lexer().lex(text)) {
    tokens += 1;
    if (tokens > most) throw new Stop(`it has more than ${most} parts`, offset);
    // Marks of the lexer are no part of the text; this one stands before each scalar without quotes.
    const isScalarText = isScalarNext;
    isScalarNext = token === '\u001f';
    if (token === '\u0002' || token === '\u0018' || isScalarNext) continue;
    const first = isScalarText ? '' : token[0];
    if (first === '!' && ++tags > mostTags) throw new Stop(`it has more than ${mostTags} tags`, offset);
    if (first === '*' && ++aliases > mostAliases) throw new Stop(`it has more than ${mostAliases} aliases`, offset);
    if (first === '[' || first === '{') open += 1;
    if (first === ']' || first === '}') open -= 1;
    if (open > depth) throw new Stop(tooDeep, offset);
    offset += token.length;
  }
}

/** Follows each alias once: aliases of aliases could stand for more values than memory holds. */
class Nodes {
  readonly targets = new Map<Node, Node>();
  readonly #uniqueKeys: boolean;
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  readonly #sizes = new Map<Node, number>();

  constructor(uniqueKeys: boolean) {
    this.#uniqueKeys = uniqueKeys;
  }

  /** @returns the number of nodes that it stands for */
  walk(node: unknown, depth: number): number {
    if (!isNode(node)) return 1;
    if (depth > yamlBounds.depth) throw new Stop(tooDeep, offsetOf(node));
    if (isAlias(node)) return this.#follow(node, node.source);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    this.#open.add(node);
    let size = 1;
    if (isMap(node)) {
      if (this.#uniqueKeys) checkNames(node);
      for (const { key, value } of node.items) size += this.walk(key, depth + 1) + this.walk(value, depth + 1);
    } else if (isSeq(node)) for (const item of node.items) size += this.walk(item, depth + 1);
    this.#open.delete(node);
    if (size > yamlBounds.nodes)
      throw new Stop(
        `it has more than ${yamlBounds.nodes} values, those that aliases repeat among them`,
        offsetOf(node),
      );
    if (node.anchor !== undefined) this.#sizes.set(node, size);
    return size;
  }

  #follow(alias: Node, name: string): number {
    const target = this.#anchors.get(name);
    // What it stands for may restrict.
    if (target === undefined) throw new Stop('an alias has no anchor before it', offsetOf(alias), 'syntax');
    if (this.#open.has(target)) throw new Stop(`its alias ${name.slice(0, 100)} leads to itself`, offsetOf(alias));
    this.targets.set(alias, target);
    return this.#sizes.get(target) ?? 1;
  }
}

function checkNames(map: YAMLMap): void {
  const names = new Set<unknown>();
  for (const { key } of map.items) {
    const name: unknown = isScalar(key) ? key.value : key;
    if (name === '<<' || typeof name === 'symbol') continue;
    if (names.has(name)) throw new Stop('Map keys must be unique', offsetOf(key), 'syntax');
    names.add(name);
  }
}

function offsetOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}

function lineIn(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
