import { isIPv6 } from 'node:net';
import { splitList } from './lists.ts';
import { not, ok, type Value } from './value.ts';

/** One server outside of the Swarm. */
export interface OutboundServer {
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Its part of the requests among all weights. Default 1. */
  readonly weight?: number;
}

const most = { servers: 100, weight: 1_000 };

/** `10.0.0.7:8080`, `[::1]:80`, `db.example:80=3`: each with its port, and perhaps a weight. */
export const outboundServers: Value<readonly string[]> = {
  parse: (raw, options) => {
    const parts = splitList(raw, options);
    return isList(parts) ? ok(parts) : not(`1 to ${most.servers} servers such as 10.0.0.7:8080 or db.example:80=3`);
  },
  schema: (zod) =>
    zod
      .array(zod.string().refine((text) => readOutboundServer(text) !== undefined, 'expected host:port or host:port=3'))
      .min(1)
      .max(most.servers),
};

function isList(parts: readonly string[]): boolean {
  return (
    parts.length > 0 && parts.length <= most.servers && parts.every((part) => readOutboundServer(part) !== undefined)
  );
}

/** `undefined`: it is none. */
export function readOutboundServer(text: string): OutboundServer | undefined {
  const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?):(\d{1,5})(?:=(\d{1,4}))?$/.exec(text);
  if (match === null) return undefined;
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '');
  const port = Number(match[2]);
  const weight = match[3] === undefined ? undefined : Number(match[3]);
  if (match[1]?.startsWith('[') === true && !isIPv6(host)) return undefined;
  if (port < 1 || port > 65_535 || weight === 0 || (weight ?? 1) > most.weight) return undefined;
  return weight === undefined ? { host, port } : { host, port, weight };
}
