import type { ServiceKey } from '@swarmgate/registry/vocabulary';
import type { Endpoint } from '../model/endpoint.ts';

/** An upgraded or a relayed connection, which may stay open for days. */
export interface OpenConnection {
  readonly key: ServiceKey;
  readonly endpoint: Pick<Endpoint, 'id' | 'host' | 'port'>;
  readonly clientAddress: string;
  readonly sides: OpenSides;
}

/** Both sides of one connection, as its deadline ends them. */
export interface OpenSides {
  /** Ends both in order. */
  onDeadline(): void;
  /** Ending failed: a fault of the proxy's own. */
  onFault(error: unknown): void;
}

/** All of this process, so that maintenance and drains can end them. */
export class OpenConnections {
  readonly #open = new Set<OpenConnection>();

  /** Returns the way to take it out, at its end. */
  add(connection: OpenConnection): () => void {
    this.#open.add(connection);
    return () => this.#open.delete(connection);
  }

  get size(): number {
    return this.#open.size;
  }

  /** Returns how many it ended. */
  endWhere(mustEnd: (connection: OpenConnection) => boolean): number {
    // Ending one takes it out of the set.
    const ending = [...this.#open].filter(mustEnd);
    for (const { sides } of ending) {
      try {
        sides.onDeadline();
      } catch (error) {
        sides.onFault(error);
      }
    }
    return ending.length;
  }
}
