import type { Socket } from 'node:net';
import { guard } from '@swarmgate/runtime';
import type { Endpoint } from '../model/endpoint.ts';
import type { DeadlineSweep, Timed } from './deadline-sweep.ts';
import { openConnection } from './open-connection.ts';

/**
 * An endpoint may take so long to accept a connect, in milliseconds. Its kernel accepts, however busy the service is: who
 * does not respond in that time, when a lost SYN has been repeated once (RFC 6298, section 2.1), has gone.
 */
const acceptMs = 1_000;
/** How long a result is valid, in milliseconds. An endpoint gets at most one liveness connect in that time. */
const holdsMs = 1_000;

export interface LivenessConnectsOptions {
  readonly sweep: DeadlineSweep;
  /** Called once per unreachable endpoint. */
  readonly onUnreachable: (endpoint: Endpoint) => void;
  /** Default: TCP. */
  readonly open?: (host: string, port: number) => Socket;
}

/**
 * Checks whether endpoints with an outstanding response are still reachable. A machine without power and a slow service
 * are equally silent on open connections; only a new connection distinguishes them.
 */
export class LivenessConnects {
  readonly #options: LivenessConnectsOptions;
  readonly #connects = new Map<string, LivenessConnect>();

  constructor(options: LivenessConnectsOptions) {
    this.#options = options;
  }

  /** Calls back if the endpoint is unreachable: within `acceptMs`, or at once if that is known. */
  check(endpoint: Endpoint, ifUnreachable: () => void): void {
    const key = `${endpoint.host}:${endpoint.port}`;
    const known = this.#connects.get(key);
    if (known?.finding === 'unreachable') ifUnreachable();
    else if (known?.finding === 'none') known.waiting.push(ifUnreachable);
    else if (known === undefined) this.#begin(key, endpoint, ifUnreachable);
  }

  #begin(key: string, endpoint: Endpoint, ifUnreachable: () => void): void {
    const { sweep, onUnreachable, open = openPlainly } = this.#options;
    const connect = new LivenessConnect(open(endpoint.host, endpoint.port), sweep, {
      onUnreachable: () => onUnreachable(endpoint),
      onForgotten: () => this.#connects.delete(key),
    });
    connect.waiting.push(ifUnreachable);
    this.#connects.set(key, connect);
  }

  stop(): void {
    for (const connect of [...this.#connects.values()]) connect.forget();
  }
}

interface LivenessEvents {
  readonly onUnreachable: () => void;
  readonly onForgotten: () => void;
}

class LivenessConnect implements Timed {
  finding: 'none' | 'reachable' | 'unreachable' = 'none';
  deadlineMs: number;
  sweepPlace = -1;
  readonly waiting: (() => void)[] = [];
  readonly #socket: Socket;
  readonly #sweep: DeadlineSweep;
  readonly #events: LivenessEvents;

  constructor(socket: Socket, sweep: DeadlineSweep, events: LivenessEvents) {
    this.#socket = socket;
    this.#sweep = sweep;
    this.#events = events;
    this.deadlineMs = sweep.in(acceptMs);
    socket.once(
      'connect',
      guard(this, () => this.#find('reachable')),
    );
    // Refused: the machine is up. A draining service accepts no new connections but finishes its requests.
    socket.on(
      'error',
      guard(this, (error: NodeJS.ErrnoException) =>
        this.#find(goneCodes.has(error.code ?? '') ? 'unreachable' : 'reachable'),
      ),
    );
    sweep.add(this);
  }

  onDeadline(): void {
    if (this.finding === 'none') this.#find('unreachable');
    else this.forget();
  }

  onFault(): void {
    this.forget();
  }

  forget(): void {
    this.#socket.destroy();
    this.#sweep.remove(this);
    this.#events.onForgotten();
  }

  #find(finding: 'reachable' | 'unreachable'): void {
    if (this.finding !== 'none') return;
    this.finding = finding;
    this.#socket.destroy();
    this.deadlineMs = this.#sweep.in(holdsMs);
    const waiting = this.waiting.splice(0);
    if (finding === 'reachable') return;
    this.#events.onUnreachable();
    for (const report of waiting) report();
  }
}

const goneCodes = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'EHOSTDOWN']);

function openPlainly(host: string, port: number): Socket {
  return openConnection({ host, port, secure: false });
}
