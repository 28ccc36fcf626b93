import type { MiddlewareUse } from './kinds.ts';
import type { MiddlewareOption } from './middleware-kind.ts';
import { middlewareKindOf } from './middleware-values.ts';

/** A middleware as `com.df.middlewares` writes it; `undefined`: no label can express it. */
export function showMiddleware(use: MiddlewareUse): string | undefined {
  const kind = middlewareKindOf(use.kind);
  if (kind === undefined) return undefined;
  const values = new Map<string, unknown>(Object.entries(use));
  const parts = Object.entries(kind.options).flatMap(([field, option]) => {
    const value = values.get(field);
    return value === undefined ? [] : optionText(field, option, value);
  });
  return parts.length === 0 ? use.kind : `${use.kind}(${parts.join(',')})`;
}

function optionText(field: string, option: MiddlewareOption, value: unknown): readonly string[] {
  const name = option.name ?? field;
  if (option.keyed === true)
    return Object.entries(value as Readonly<Record<string, string>>).map(
      ([key, text]) => `${name}.${key}=${quoted(text)}`,
    );
  const unit = field.endsWith('Ms') ? 'ms' : '';
  const items = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  return items.map((item) => `${name}=${quoted(`${itemText(item)}${unit}`)}`);
}

function itemText(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item);
  const fields = new Map<string, unknown>(Object.entries(item));
  if (fields.has('passwordHash')) return `${fields.get('username')}:${fields.get('passwordHash')}`;
  if (fields.has('from')) return `${fields.get('from')}-${fields.get('to')}`;
  // What is counted by.
  return fields.get('kind') === 'header' ? `header:${fields.get('name')}` : String(fields.get('kind'));
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
