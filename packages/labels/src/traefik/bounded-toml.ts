import { parse, TomlError } from 'smol-toml';
import { type ReadYaml, readYaml, yamlBounds } from './bounded-yaml.ts';

/** Reads TOML as the equivalent YAML document, within its bounds. Its nodes have no lines. Never throws. */
export function tomlAsYaml(text: string): ReadYaml {
  if (Buffer.byteLength(text) > yamlBounds.bytes)
    return { ok: false, fault: { kind: 'bound', message: `it is larger than ${yamlBounds.bytes} bytes` } };
  let json: string;
  try {
    json = JSON.stringify(parse(text, { maxDepth: yamlBounds.depth }), shownNumber);
  } catch (error) {
    if (!(error instanceof TomlError)) return { ok: false, fault: { kind: 'syntax', message: 'it is no TOML' } };
    const message = (error.message.split('\n')[0] ?? '').replace(/^Invalid TOML document: /, '');
    return { ok: false, fault: { kind: 'syntax', line: error.line, message } };
  }
  // JSON is YAML. Names cannot stand twice in TOML.
  const read = readYaml(json);
  return read.ok ? { ok: true, yaml: { ...read.yaml, lineAt: () => undefined } } : read;
}

/** JSON has `null` for `nan` and `inf`, and a value that is `null` counts as not set. */
function shownNumber(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
