import { type FaultOwner, garbageCollector, guard } from '@swarmgate/runtime';

/** Fewer services leave nothing behind that is worth the pause. */
const fewestServices = 1_000;

/**
 * Gives back to the system what reading the first large table took: V8 keeps it otherwise, 170 MB of 350 with 10,000 services.
 * Once: the pause (0.4 s of processor time with 10,000 services) is that of the control process, while its workers serve.
 */
export class StartMemory {
  readonly #release: () => void;
  readonly #later: (release: () => void) => void;
  #isOpen = false;
  #isReleased = false;

  /** @param later calls back when the first clients are served. Default: 3 s later */
  constructor(
    owner: FaultOwner,
    release: () => void = collectAll,
    later: typeof afterFirstClients = afterFirstClients,
  ) {
    this.#release = release;
    this.#later = (act) => later(act, owner);
  }

  /** The workers serve this many services. */
  opened(services: number): void {
    this.#isOpen = true;
    this.applied(services);
  }

  /** The table in force has this many services. */
  applied(services: number): void {
    if (!this.#isOpen || this.#isReleased || services < fewestServices) return;
    this.#isReleased = true;
    this.#later(this.#release);
  }
}

// Their workers may have to wait for this process, as for a place under `MAX_CONNECTIONS`.
function afterFirstClients(release: () => void, owner: FaultOwner): void {
  setTimeout(guard(owner, release), 3_000).unref();
}

/** Without V8's collector at hand, as where Node leaves it out, memory stays with the process. */
function collectAll(): void {
  garbageCollector()?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
