import type { ServiceKey } from '@swarmgate/registry';
import type { Tasks } from '@swarmgate/runtime';
import { HealthChecks, type HealthChecksOptions } from '../../endpoints/health-checks.ts';
import { NameResolution } from '../../endpoints/name-resolution.ts';
import { hasDockerDns } from '../../endpoints/own-networks.ts';
import { Upstreams } from '../../endpoints/upstreams.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { ServedService } from '../../model/served-service.ts';
import type { RouteTable } from '../../routing/route-table.ts';
import { checkEndpoint } from '../../transport/check-endpoint.ts';
import type { CheckedMessage } from './messages.ts';

export interface SharedChecksOptions {
  readonly swarmName: string;
  /** The same array as long as nothing changed. */
  readonly subnets: () => readonly string[];
  readonly signal: AbortSignal;
  /** To every worker. */
  readonly broadcast: (message: CheckedMessage) => void;
  /** Called once for each time that an endpoint begins to fail. */
  readonly onOut: (endpoint: Endpoint) => void;
  /** How checks are made and timed; for tests. */
  readonly checks?: Partial<Pick<HealthChecksOptions, 'check' | 'now' | 'wait'>>;
}

/**
 * Active checks of one proxy: made in the control process, which outlives its workers, and sent to all workers, so that
 * services are queried once and not by every worker.
 */
export class SharedChecks {
  readonly #options: SharedChecksOptions;
  readonly #failing = new Set<string>();
  readonly #names: NameResolution;
  readonly #upstreams: Upstreams;
  readonly #checks: HealthChecks;

  constructor(options: SharedChecksOptions) {
    this.#options = options;
    const { swarmName, subnets, signal } = options;
    // Of its own: the workers resolve names that requests need, and a check shall come before the first request.
    this.#names = new NameResolution({ signal });
    this.#upstreams = new Upstreams({ swarmName, subnets, dockerNames: hasDockerDns(), names: this.#names });
    this.#checks = new HealthChecks({
      upstreamOf: (route) => this.#upstreams.of(route),
      balancer: { checked: (endpoint, passed) => this.#checked(endpoint, passed) },
      signal,
      check: checkEndpoint,
      ...options.checks,
    });
  }

  apply(table: RouteTable, changes: ReadonlyMap<ServiceKey, ServedService | undefined>): void {
    this.#upstreams.apply(changes);
    this.#checks.apply(table, changes.keys());
  }

  /** For workers that start. */
  failing(): readonly CheckedMessage[] {
    return [...this.#failing].map((endpointId) => ({ kind: 'checked', endpointId, passed: false }));
  }

  /** Until the signal aborts. Its owner awaits it. */
  async run(tasks: Tasks): Promise<void> {
    const { signal } = this.#options;
    await Promise.all([
      tasks.run('name-resolution', signal, () => this.#names.run()),
      tasks.run('health-checks', signal, () => this.#checks.run()),
    ]);
  }

  #checked(endpoint: Endpoint, passed: boolean): void {
    const { broadcast, onOut } = this.#options;
    const { id } = endpoint;
    if (passed && !this.#failing.delete(id)) return;
    if (!passed && !this.#failing.has(id)) {
      this.#failing.add(id);
      onOut(endpoint);
    }
    // A failure is sent each time: workers drop the state of endpoints without news.
    broadcast({ kind: 'checked', endpointId: id, passed });
  }
}
