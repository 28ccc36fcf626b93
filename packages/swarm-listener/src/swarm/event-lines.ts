import { z } from 'zod';
import type { SwarmEvent } from './swarm-objects.ts';

const event = z.object({
  Type: z.string(),
  Action: z.string(),
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()).nullish() }),
});

// Signals that end a process. `docker kill -s HUP` and the like only speak to it.
const endingSignals = new Set(['2', '3', '9', '15', 'SIGINT', 'SIGQUIT', 'SIGKILL', 'SIGTERM']);

/** One line of Docker's event stream; `undefined` for events that say nothing about routes. */
export function parseEventLine(line: string): SwarmEvent | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return undefined;
  }
  const parsed = event.safeParse(json);
  if (!parsed.success) return undefined;
  const { Type, Action, Actor } = parsed.data;
  if (Type === 'service') return { kind: 'service', action: Action, serviceId: Actor.ID };
  if (Type === 'node') return { kind: 'node', action: Action, nodeId: Actor.ID };
  if (Type !== 'container') return undefined;
  const attributes = Actor.Attributes ?? {};
  const serviceId = attributes['com.docker.swarm.service.id'];
  const taskId = attributes['com.docker.swarm.task.id'];
  if (serviceId === undefined || taskId === undefined) return undefined;
  return isGoing(Action, attributes.signal) ? { kind: 'task-going', serviceId, taskId } : undefined;
}

function isGoing(action: string, signal: string | undefined): boolean {
  if (action === 'kill') return signal === undefined || endingSignals.has(signal);
  return action === 'die' || action === 'health_status: unhealthy';
}

/** Cuts a byte stream into lines; a character or line split between two chunks is put together again. */
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
