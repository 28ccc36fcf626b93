import { RegistryError } from '../registry-error.ts';
import type { KvItem, TransactionResponse } from './consul-client.ts';

/**
 * Whether a response is one of Consul's own: what stands in between may send anything with status 200. One that is none is
 * as good as no response, so that what was read before stays.
 */

/** @throws RegistryError `registry-unreachable` */
export function checkedItem(item: unknown): KvItem {
  if (!isRecord(item)) throw foreign('an item');
  const { Key, Value, ModifyIndex, Session } = item;
  const isItem =
    typeof Key === 'string' &&
    (typeof Value === 'string' || Value === null || Value === undefined) &&
    isIndex(ModifyIndex) &&
    (Session === undefined || typeof Session === 'string');
  if (!isItem) throw foreign('an item');
  return item as unknown as KvItem;
}

/** @throws RegistryError `registry-unreachable` */
export function checkedNames(names: unknown): readonly string[] {
  if (names === undefined) return [];
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) throw foreign('names of keys');
  return names;
}

/** @throws RegistryError `registry-unreachable` */
export function checkedTransaction(reply: unknown): TransactionResponse {
  if (!isRecord(reply)) throw foreign('a transaction');
  const { Results = null, Errors = null } = reply;
  if (!isListOf(Results, isResult) || !isListOf(Errors, isFailure)) throw foreign('a transaction');
  return { Results, Errors };
}

/** @throws RegistryError `registry-unreachable` */
export function checkedSession(session: unknown): string {
  if (!isRecord(session) || typeof session.ID !== 'string' || session.ID === '') throw foreign('a session');
  return session.ID;
}

export function foreign(what: string): RegistryError {
  return RegistryError.of('registry-unreachable', `consul: the response for ${what} is none that Consul sends`);
}

function isResult(value: unknown): value is { readonly KV: KvItem } {
  return isRecord(value) && checkedItem(value.KV) === value.KV;
}

function isFailure(value: unknown): value is { readonly OpIndex: number; readonly What: string } {
  return isRecord(value) && isIndex(value.OpIndex) && typeof value.What === 'string';
}

function isListOf<T>(value: unknown, isOne: (value: unknown) => value is T): value is readonly T[] | null {
  return value === null || (Array.isArray(value) && value.every(isOne));
}

function isIndex(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
