import { backoffMs, type Logger, pause, type Running, type Settings, stopAll, UsageError } from '@swarmgate/runtime';
import { createGoingReporter } from './notifying/going-reporter.ts';
import { createAgentRest, serveRest } from './rest/listener-rest.ts';
import { connectSwarm } from './swarm/swarm-client.ts';
import { toSwarmError } from './swarm/swarm-error.ts';

export interface AgentOptions {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export interface Agent extends Running {
  /** It follows its engine's events. */
  ready(): boolean;
  counts(): { readonly delivered: number; readonly failed: number };
  readonly port?: number;
}

/**
 * The listener's agent role, one on every node: Swarm sends no task events, and containers' events stay on their own
 * node, so the agent passes on at once that a container of its node is stopped, ended or failed its health check.
 * Only a hint, which shortens the time until no new request goes there; everything works without it.
 * @throws UsageError `listener-url-missing`, `docker-host-invalid`, and what opening the REST port throws
 */
export async function startAgent({ settings, logger, signal }: AgentOptions): Promise<Agent> {
  if (settings.listenerUrl === undefined || !URL.canParse(settings.listenerUrl)) {
    throw new UsageError(
      'listener-url-missing',
      `LISTENER_URL=${settings.listenerUrl ?? ''}: an agent needs the listeners' URL, such as http://tasks.listener:8080`,
    );
  }
  const client = connectSwarm(settings.dockerHost);
  const reporter = createGoingReporter({ listenerUrl: settings.listenerUrl, token: settings.adminToken, logger });
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
        for await (const event of events) if (event.kind === 'task-going') reporter.report(event);
      } catch (error) {
        if (ending.aborted) return;
        isFollowing = false;
        const { code, message } = toSwarmError(error, "follow this node's containers");
        if (message !== reason) logger.warn({ code }, message);
        reason = message;
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
