import type { Socket } from 'node:net';
import { guard } from '@swarmgate/runtime';
import type { Endpoint } from '../model/endpoint.ts';
import type { DeadlineSweep, Timed } from './deadline-sweep.ts';
import { openConnection } from './open-connection.ts';

/**
 * An endpoint may take so long to accept a probe, in milliseconds. Its kernel accepts, however busy the service is: who
 * does not answer in that time, when a lost SYN has been repeated once (RFC 6298, section 2.1), has gone.
 */
const acceptMs = 1_000;
/** A finding holds so long, in milliseconds: an endpoint gets no more probes than one in that time. */
const holdsMs = 1_000;

export interface LivenessConnectsOptions {
  readonly sweep: DeadlineSweep;
  /** Told once of each finding. */
  readonly onUnreachable: (endpoint: Endpoint) => void;
  /** Default: TCP. */
  readonly open?: (host: string, port: number) => Socket;
}

/**
 * Finds out whether endpoints that owe an answer are still there. A machine that lost its power says nothing on its open
 * connections, and a slow service says nothing either: only a new connection tells them apart.
 */
export class LivenessConnects {
  readonly #options: LivenessConnectsOptions;
  readonly #probes = new Map<string, Probe>();

  constructor(options: LivenessConnectsOptions) {
    this.#options = options;
  }

  /** Calls back if the endpoint is unreachable: within the time a probe may take, or at once where that is known. */
  ask(endpoint: Endpoint, ifUnreachable: () => void): void {
    const key = `${endpoint.host}:${endpoint.port}`;
    const known = this.#probes.get(key);
    if (known?.finding === 'unreachable') ifUnreachable();
    else if (known?.finding === 'none') known.asked.push(ifUnreachable);
    else if (known === undefined) this.#begin(key, endpoint, ifUnreachable);
  }

  #begin(key: string, endpoint: Endpoint, ifUnreachable: () => void): void {
    const { sweep, onUnreachable, open = openPlainly } = this.#options;
    const probe = new Probe(open(endpoint.host, endpoint.port), sweep, {
      onUnreachable: () => onUnreachable(endpoint),
      onForgotten: () => this.#probes.delete(key),
    });
    probe.asked.push(ifUnreachable);
    this.#probes.set(key, probe);
  }

  stop(): void {
    for (const probe of [...this.#probes.values()]) probe.forget();
  }
}

interface ProbeEvents {
  readonly onUnreachable: () => void;
  readonly onForgotten: () => void;
}

class Probe implements Timed {
  finding: 'none' | 'reachable' | 'unreachable' = 'none';
  deadlineMs: number;
  readonly asked: (() => void)[] = [];
  readonly #socket: Socket;
  readonly #sweep: DeadlineSweep;
  readonly #told: ProbeEvents;

  constructor(socket: Socket, sweep: DeadlineSweep, told: ProbeEvents) {
    this.#socket = socket;
    this.#sweep = sweep;
    this.#told = told;
    this.deadlineMs = sweep.in(acceptMs);
    socket.once(
      'connect',
      guard(this, () => this.#find('reachable')),
    );
    // Refused: the machine is there, and a service that only drains does not accept any more. What it has, it finishes.
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
    this.#told.onForgotten();
  }

  #find(finding: 'reachable' | 'unreachable'): void {
    if (this.finding !== 'none') return;
    this.finding = finding;
    this.#socket.destroy();
    this.deadlineMs = this.#sweep.in(holdsMs);
    const asked = this.asked.splice(0);
    if (finding === 'reachable') return;
    this.#told.onUnreachable();
    for (const tell of asked) tell();
  }
}

const goneCodes = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'EHOSTDOWN']);

function openPlainly(host: string, port: number): Socket {
  return openConnection({ host, port, secure: false });
}
