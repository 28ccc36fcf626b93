import { z } from 'zod';
import type { SwarmEvent } from './swarm-objects.ts';

type Actor = { readonly id: string; readonly attributes: Readonly<Record<string, string>> };

/** One type of Docker's events: the actions that the engine sends of it, and what an event of it means. */
interface DockerEventType {
  /** Values of the `event` filter. The engine combines them with every type, so `parse` decides again. */
  readonly actions: readonly string[];
  /** `undefined`: the event does not concern routes. */
  readonly parse: (action: string, actor: Actor) => SwarmEvent | undefined;
}

// Signals that end a process. `docker kill -s HUP` and the like do not.
const endingSignals = new Set(['2', '3', '9', '15', 'SIGINT', 'SIGQUIT', 'SIGKILL', 'SIGTERM']);

/** A new type of event is one entry here. https://docs.docker.com/reference/api/engine/version/v1.51/#tag/System/operation/SystemEvents */
const eventTypes: Readonly<Record<string, DockerEventType>> = {
  service: {
    actions: ['create', 'update', 'remove'],
    parse: (action, { id }) => ({ kind: 'service', action, serviceId: id }),
  },
  node: {
    actions: ['create', 'update', 'remove'],
    parse: (action, { id }) => ({ kind: 'node', action, nodeId: id }),
  },
  container: {
    actions: ['kill', 'die', 'health_status'],
    parse(action, { attributes }) {
      const serviceId = attributes['com.docker.swarm.service.id'];
      const taskId = attributes['com.docker.swarm.task.id'];
      if (serviceId === undefined || taskId === undefined) return undefined;
      return isTerminating(action, attributes.signal) ? { kind: 'task-terminating', serviceId, taskId } : undefined;
    },
  },
};

/** The `filters` of `GET /events`: the engine sends nothing that no entry parses. */
export function eventFilters(): Record<'type' | 'event', string[]> {
  const actions = Object.values(eventTypes).flatMap((type) => type.actions);
  return { type: Object.keys(eventTypes), event: [...new Set(actions)] };
}

const schema = z.object({
  Type: z.string(),
  Action: z.string(),
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()).nullish() }),
});

/** One line of Docker's event stream; `undefined` for events that do not concern routes, and for lines that cannot be read. */
export function parseEventLine(line: string): SwarmEvent | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return undefined;
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) return undefined;
  const { Type, Action, Actor } = parsed.data;
  const type = Object.hasOwn(eventTypes, Type) ? eventTypes[Type] : undefined;
  return type?.parse(Action, { id: Actor.ID, attributes: Actor.Attributes ?? {} });
}

function isTerminating(action: string, signal: string | undefined): boolean {
  if (action === 'kill') return signal === undefined || endingSignals.has(signal);
  return action === 'die' || action === 'health_status: unhealthy';
}

/** Splits a byte stream into lines. A character or line that is split between two chunks is joined. */
export async function* linesOf(stream: AsyncIterable<string | Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield line;
  }
  if (rest.trim() !== '') yield rest;
}
