import type { HeadMark } from '@swarmgate/acme';
import type { ReplicaPresence } from '@swarmgate/registry';
import type { ServicesChange } from '../../model/served-service.ts';
import type { Server } from '../serving/server.ts';

type Served = Pick<ServicesChange, 'registryId' | 'sequence' | 'rejected'>;

export interface ReplicaReportOptions {
  readonly presence: Pick<ReplicaPresence, 'report'>;
  readonly server: Pick<Server, 'table'>;
  /** What is in force. */
  readonly served: () => Served;
  /** Whether clients are let in. */
  readonly isOpen: () => boolean;
}

/** What this replica reports with its presence, so that the others can wait until it serves a change. */
export class ReplicaReport {
  readonly #options: ReplicaReportOptions;
  #reload: string | undefined;
  #acme: HeadMark | undefined;

  constructor(options: ReplicaReportOptions) {
    this.#options = options;
  }

  /** A reload was carried out. */
  reloaded(id: string): void {
    this.#reload = id;
    this.update();
  }

  /** Certificates and responses as of this mark are served. */
  certificatesServed(mark: HeadMark): void {
    this.#acme = mark;
    this.update();
  }

  /** Something of it may have changed. */
  update({ registryId, sequence, rejected }: Served = this.#options.served()): void {
    const { presence, server, isOpen } = this.#options;
    // While it starts, it may find the registry that the others serve at any moment. Behind that, it is reported with an empty
    // registry, too: the first change has to wait for this replica.
    if (registryId === '' && !isOpen()) return;
    // Before clients can come, nothing is served, however good the table.
    presence.report({
      registryId,
      sequence: isOpen() ? sequence : 0,
      routes: server.table().size,
      rejected: rejected.size,
      reload: this.#reload,
      acme: this.#acme,
    });
  }
}
