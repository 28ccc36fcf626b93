import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** What is known of a connection before its TLS is ended. */
export interface AcceptedConnection {
  /** The client's address where a PROXY header gave it. */
  readonly source?: string | undefined;
  /** Takes the connection when TLS is set up. Default: it carries requests. */
  readonly onSecured?: ((secured: TLSSocket) => void) | undefined;
}

interface Entry extends AcceptedConnection {
  readonly table: AcceptedConnections;
  readonly socket: Socket;
  readonly address: string | undefined;
  readonly port: number;
  next: Entry | undefined;
}

/** Where a socket keeps its entry. */
const entered = Symbol('entered');

interface EnteredSocket extends Socket {
  [entered]?: Entry | undefined;
}

const buckets = 256;

/**
 * What is known of connections, by their other end, which no two connections to one port share: node:tls does not say which
 * connection it has secured. Not a Map: with a connection for each request all that ever were in it would grow old with it,
 * see `StreamTable`.
 */
export class AcceptedConnections {
  readonly #buckets: (Entry | undefined)[] = new Array(buckets).fill(undefined);

  /** Kept until `take`, or until the connection closes. */
  add(socket: Socket, { source, onSecured }: AcceptedConnection): void {
    const { remoteAddress: address, remotePort: port = 0 } = socket;
    const at = port % buckets;
    const next = this.#buckets[at];
    const entry: Entry = { table: this, source, onSecured, socket, address, port, next };
    this.#buckets[at] = entry;
    (socket as EnteredSocket)[entered] = entry;
    socket.on('close', left);
  }

  find(secured: TLSSocket): Entry | undefined {
    const { remoteAddress, remotePort = 0 } = secured;
    let entry = this.#buckets[remotePort % buckets];
    while (entry !== undefined && (entry.port !== remotePort || entry.address !== remoteAddress)) entry = entry.next;
    return entry;
  }

  /** Its TLS is set up: nothing more is looked up by its other end. */
  take(secured: TLSSocket): Entry | undefined {
    const entry = this.find(secured);
    if (entry !== undefined) this.remove(entry);
    return entry;
  }

  /** Nothing, where it is not in the table any more. */
  remove(entry: Entry): void {
    (entry.socket as EnteredSocket)[entered] = undefined;
    const at = entry.port % buckets;
    let before: Entry | undefined;
    for (let each = this.#buckets[at]; each !== undefined; before = each, each = each.next) {
      if (each !== entry) continue;
      if (before === undefined) this.#buckets[at] = entry.next;
      else before.next = entry.next;
      entry.next = undefined;
      return;
    }
  }
}

/** One function for all sockets. */
function left(this: EnteredSocket): void {
  const entry = this[entered];
  entry?.table.remove(entry);
}
