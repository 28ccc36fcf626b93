import { isName } from '@swarmgate/runtime';
import { z } from 'zod';
import type { Hint, ReceivedHint } from './cluster-bus.ts';

/** Maximum size of a message; this protocol sends no longer ones. */
export const mostMessageBytes = 1_024;

const count = z.number().min(0).max(1e12);

const messageSchema = z.object({
  version: z.literal(1),
  sender: z.string().min(1).max(64),
  // Shown to operators unchanged.
  replica: z.string().max(128).refine(isName),
  hint: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('sequence'), registryId: z.string().min(1).max(64), sequence: z.int().min(0) }),
    z.object({ kind: z.literal('ejected'), endpointId: z.string().min(1).max(256) }),
    z.object({ kind: z.literal('traffic'), requestsPerSecond: count, inFlight: count }),
  ]),
});

/** @param sender unique to one process: identifies a replica's own messages */
export function writeMessage(sender: string, replica: string, hint: Hint): string {
  return JSON.stringify({ version: 1, sender, replica, hint });
}

/** `undefined`: not a message of a replica. Any client of Redis can write one, so every field is validated. */
export function readMessage(text: string): (ReceivedHint & { readonly sender: string }) | undefined {
  if (text.length > mostMessageBytes) return undefined;
  try {
    const parsed = messageSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
