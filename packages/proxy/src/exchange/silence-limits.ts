import { timerMs } from '@swarmgate/runtime';
import type { ReceivedHead } from '../http/response-head.ts';
import type { Route } from '../model/route.ts';
import type { OutgoingRequest } from '../transport/outgoing-request.ts';

/** For how long an endpoint may send nothing, in milliseconds, where its route has no limit of its own. */
export interface SilenceLimits {
  /** Before the head of a response, and between two pieces of its body. */
  readonly serverMs: number;
  /** Of both sides of a tunnel, of a gRPC call, and between two server-sent events. */
  readonly tunnelMs: number;
}

/** Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
const eventStream = /^text\/event-stream\s*(;|$)/i;

export function silenceBeforeHead({ destination }: Route, request: OutgoingRequest, limits: SilenceLimits): number {
  return timerMs(destination.timeoutServerMs ?? request.silenceMs ?? limits.serverMs);
}

/**
 * The limit within a response, which is never shorter than `beforeMs`, the one before its head. Minutes may pass between two events, as
 * in a tunnel: services send a comment every 15 to 60 seconds to keep the connection open, or none at all.
 */
export function silenceWithin(
  { destination }: Route,
  head: ReceivedHead,
  beforeMs: number,
  limits: SilenceLimits,
): number {
  if (destination.timeoutServerMs !== undefined || !eventStream.test(head.header('content-type') ?? ''))
    return beforeMs;
  return Math.max(beforeMs, timerMs(destination.timeoutTunnelMs ?? limits.tunnelMs));
}
