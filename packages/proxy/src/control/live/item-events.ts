import { type ItemKind, type ItemName, type ItemVersions, itemKinds, ofEachKind } from './item-versions.ts';

/** Of one event `changes`, in characters, unless a single item is larger. */
export const mostEventLength = 48 * 1_024;

/** As `Last-Event-ID` brings it back. */
export function eventId({ epoch }: Pick<ItemVersions, 'epoch'>, version: number): string {
  return `${epoch}-${version}`;
}

/** The version that a client is at; 0: it has nothing of these items, and has to drop what it holds. */
export function versionOf({ epoch, version }: Pick<ItemVersions, 'epoch' | 'version'>, id: string | undefined): number {
  const [, of, at] = /^([0-9a-f]+)-(\d{1,15})$/.exec(id ?? '') ?? [];
  return of === epoch && Number(at) <= version ? Number(at) : 0;
}

/** Events that bring a client to the state of these items, each of bounded size, made when it is taken. */
export function* changeEvents(versions: Pick<ItemVersions, 'textOf'>, names: readonly ItemName[]): Generator<string> {
  let group = ofEachKind((): string[] => []);
  let length = 0;
  for (const item of names) {
    const entry = `${JSON.stringify(item.name)}:${versions.textOf(item) ?? 'null'}`;
    if (length > 0 && length + entry.length > mostEventLength) {
      yield changesEvent(group);
      group = ofEachKind(() => []);
      length = 0;
    }
    group[item.kind].push(entry);
    length += entry.length;
  }
  if (length > 0) yield changesEvent(group);
}

/** A client gets one of the two, under the same name. */
const nameOfKind = (kind: ItemKind) => (kind === 'openMaintenance' ? 'maintenance' : kind);

function changesEvent(group: Readonly<Record<ItemKind, readonly string[]>>): string {
  const kinds = itemKinds.filter((kind) => group[kind].length > 0);
  const parts = kinds.map((kind) => `"${nameOfKind(kind)}":{${group[kind].join(',')}}`);
  return `event: changes\ndata: {${parts.join(',')}}\n\n`;
}

/** The client holds nothing that counts: all items follow. */
export const resetEvent = 'event: reset\ndata: {}\n\n';

/** Nothing else had changed at this version. Sent with every round of changes, and again and again where nothing changes. */
export function currentEvent(versions: Pick<ItemVersions, 'epoch'>, version: number): string {
  return `event: current\nid: ${eventId(versions, version)}\ndata: {}\n\n`;
}
