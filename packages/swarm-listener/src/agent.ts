import { backoffMs, type Logger, pause, type Running, type Settings, stopAll, UsageError } from '@swarmgate/runtime';
import { createTerminationReporter } from './notifying/termination-reporter.ts';
import { createAgentRest, serveRest } from './rest/listener-rest.ts';
import { logApiVersion } from './swarm/api-version.ts';
import { connectSwarm } from './swarm/swarm-client.ts';
import { toSwarmError } from './swarm/swarm-error.ts';

export interface AgentOptions {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export interface Agent extends Running {
  /** The engine's event stream is open. */
  ready(): boolean;
  counts(): { readonly delivered: number; readonly failed: number };
  readonly port?: number;
}

/**
 * The listener's agent role, one on every node: Swarm sends no task events, and container events exist only on their own
 * node, so the agent reports at once when a container of its node is being stopped, has ended or failed its health check.
 * The report is a hint that shortens the time until no new request is sent there; everything works without it.
 * @throws UsageError `listener-url-missing`, `docker-host-invalid`, and what opening the REST port throws
 */
export async function startAgent({ settings, logger, signal }: AgentOptions): Promise<Agent> {
  if (settings.listenerUrl === undefined || !URL.canParse(settings.listenerUrl)) {
    throw new UsageError(
      'listener-url-missing',
      `LISTENER_URL=${settings.listenerUrl ?? ''}: the agent role needs the listeners' URL, such as http://tasks.listener:8080`,
    );
  }
  const client = connectSwarm(settings.dockerHost, { onApiVersion: (version) => logApiVersion(logger, version) });
  const reporter = createTerminationReporter({ listenerUrl: settings.listenerUrl, token: settings.adminToken, logger });
  const stopping = new AbortController();
  const ending = AbortSignal.any([signal, stopping.signal]);
  let isFollowing = false;

  async function follow(): Promise<void> {
    let reason: string | undefined;
    for (let attempt = 0; !ending.aborted; attempt++) {
      try {
        const events = await client.events(ending);
        isFollowing = true;
        attempt = 0;
        reason = undefined;
        logger.info({ docker: client.description }, "following this node's containers");
        for await (const event of events) if (event.kind === 'task-terminating') reporter.report(event);
      } catch (error) {
        if (ending.aborted) return;
        isFollowing = false;
        const failure = toSwarmError(error, "follow this node's containers");
        const log = failure.message === reason ? 'debug' : 'warn';
        logger[log]({ err: failure, attempt }, "cannot follow this node's containers; retrying");
        reason = failure.message;
        await pause(backoffMs(attempt, 100, 5_000), ending);
      }
    }
  }

  const running: Running[] = [reporter];
  const following = follow();
  running.push({
    async stop() {
      stopping.abort();
      await following;
    },
  });
  let port: number | undefined;
  if (settings.listenerPort !== 'off') {
    try {
      const rest = createAgentRest({ isReady: () => isFollowing, counts: reporter.counts });
      const served = await serveRest(rest, { host: settings.listenerHost, port: settings.listenerPort }, logger);
      port = served.port;
      running.push(served);
    } catch (error) {
      await stopAll(running);
      throw error;
    }
  }
  return {
    ready: () => isFollowing,
    counts: reporter.counts,
    ...(port === undefined ? {} : { port }),
    stop: () => stopAll(running),
  };
}
