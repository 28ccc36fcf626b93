import type { StateChanges } from './types.ts';

/** The part of an `EventSource` that is used. */
export interface Source {
  readonly readyState: number;
  addEventListener(
    type: string,
    listener: (event: { readonly data?: string; readonly lastEventId?: string }) => void,
  ): void;
  close(): void;
}

export interface StateStreamOptions {
  readonly open: (url: string) => Source;
  /** All that is held does not count any more. */
  readonly onReset: () => void;
  readonly onChanges: (changes: StateChanges) => void;
  /** Nothing else had changed until now. */
  readonly onCurrent: () => void;
  /**
   * `interrupted`: it broke off and is opened again. `refused`: the response was no stream. `silent`: it is open and nothing
   * comes, as where a proxy in between keeps the response until its end.
   */
  readonly onTrouble: (trouble: 'interrupted' | 'refused' | 'silent') => void;
  /** @returns the way to cancel it */
  readonly schedule: (run: () => void, ms: number) => () => void;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

/** The server sends something every 3 s. */
export const silentMs = 10_000;
/** What goes silent sooner than this after its opening is held back in between: buffers take the first events at most. */
const provenMs = 30_000;
const closedState = 2;

/** Reads `GET /v1/events`, and goes on where it was when it is opened again. */
export class StateStream {
  readonly #options: StateStreamOptions;
  #source: Source | undefined;
  #cancel = () => {};
  #lastId: string | undefined;
  #scope: string | undefined;

  constructor(options: StateStreamOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#source !== undefined;
  }

  /** @param service `<owner>/<service>` to have in full */
  open(scope: 'replica' | 'all', service?: string): void {
    this.close();
    // Versions of different scopes are not comparable.
    if (scope !== this.#scope) this.#lastId = undefined;
    this.#scope = scope;
    const query = new URLSearchParams({
      replicas: scope,
      ...(service === undefined ? {} : { service }),
      ...(this.#lastId === undefined ? {} : { after: this.#lastId }),
    });
    const source = this.#options.open(`/v1/events?${query}`);
    this.#source = source;
    let openedAtMs = this.#options.nowMs();
    let isBroken = false;
    const listen = () => {
      this.#cancel();
      this.#cancel = this.#options.schedule(() => {
        if (this.#options.nowMs() - openedAtMs >= provenMs) {
          this.#options.onTrouble('interrupted');
          this.open(scope, service);
          return;
        }
        this.close();
        this.#options.onTrouble('silent');
      }, silentMs);
    };
    const on = (type: string, take: (data: string) => void) =>
      source.addEventListener(type, ({ data = '', lastEventId = '' }) => {
        if (source !== this.#source) return;
        isBroken = false;
        listen();
        if (lastEventId !== '') this.#lastId = lastEventId;
        take(data);
      });
    on('reset', () => this.#options.onReset());
    on('changes', (data) => this.#options.onChanges(JSON.parse(data) as StateChanges));
    on('current', () => this.#options.onCurrent());
    source.addEventListener('error', () => {
      if (source !== this.#source) return;
      if (source.readyState === closedState) {
        this.close();
        this.#options.onTrouble('refused');
        return;
      }
      // A browser tries again every few seconds: the time counts from the first of its failures.
      if (!isBroken) {
        isBroken = true;
        openedAtMs = this.#options.nowMs();
        listen();
      }
      this.#options.onTrouble('interrupted');
    });
    listen();
  }

  close(): void {
    this.#cancel();
    this.#source?.close();
    this.#source = undefined;
  }

  /** The next opening gets everything. */
  forget(): void {
    this.#lastId = undefined;
  }
}
