import { tokenBytes } from './byte-tables.ts';
import { isWord } from './field-section.ts';

/** What the Connection fields of one head list (RFC 9110, section 7.6.1). */
export interface ConnectionOptions {
  readonly close: boolean;
  readonly keepAlive: boolean;
  readonly upgrade: boolean;
  /** Other names, lower case: fields that are for this hop only. */
  readonly named: readonly string[];
}

const nothing: readonly string[] = Object.freeze([]);
export const noOptions: ConnectionOptions = Object.freeze({
  close: false,
  keepAlive: false,
  upgrade: false,
  named: nothing,
});
const onlyClose: ConnectionOptions = Object.freeze({ ...noOptions, close: true });
const onlyKeepAlive: ConnectionOptions = Object.freeze({ ...noOptions, keepAlive: true });

/**
 * Reads one Connection value, the bytes between two places, and adds the members of earlier ones. Members that are no tokens are
 * dropped.
 */
export function connectionOptions(
  bytes: Buffer,
  from: number,
  to: number,
  before: ConnectionOptions = noOptions,
): ConnectionOptions {
  if (before === noOptions) {
    // What nearly every client and service sends: no text is made of it.
    if (isWord(bytes, from, to, 'keep-alive')) return onlyKeepAlive;
    if (isWord(bytes, from, to, 'close')) return onlyClose;
  }
  let { close, keepAlive, upgrade } = before;
  const named = [...before.named];
  for (const member of bytes.toString('latin1', from, to).split(',')) {
    const option = member.trim().toLowerCase();
    if (option === 'close') close = true;
    else if (option === 'keep-alive') keepAlive = true;
    else if (option === 'upgrade') upgrade = true;
    else if (isToken(option)) named.push(option);
  }
  return { close, keepAlive, upgrade, named };
}

function isToken(text: string): boolean {
  if (text === '') return false;
  for (let at = 0; at < text.length; at++) if ((tokenBytes[text.charCodeAt(at)] ?? 0) === 0) return false;
  return true;
}
