import type { Outcome } from './byte-client.ts';
import type { ByteAttempt } from './byte-endpoints.ts';
import type { BytePlan } from './plan.ts';

/** What is wrong with an exchange, as its client and its endpoints have seen it; `undefined`: nothing. */
export function faultOf(plan: BytePlan, outcome: Outcome, attempts: readonly ByteAttempt[]): string | undefined {
  const shown = `${JSON.stringify({ ...outcome, attempts })}`;
  if (outcome.fault !== undefined) return `${outcome.fault}: ${shown}`;
  for (const { fault, isWhole, bytes } of attempts) {
    if (fault !== undefined) return `the request: ${fault}: ${shown}`;
    if (isWhole && bytes !== plan.uploadBytes) return `a short request passed for a whole one: ${shown}`;
    if (bytes > plan.uploadBytes) return `a request of more bytes: ${shown}`;
  }
  if (outcome.bytes > plan.sizeBytes) return `a response of more bytes: ${shown}`;
  if (outcome.end === 'left') return undefined;
  if (plan.ends !== 'whole') {
    if (outcome.end === 'whole' && outcome.status === 200) return `a cut response passed for a whole one: ${shown}`;
    return undefined;
  }
  // The rest of the request may reset the connection before the response has been read.
  if (plan.responds === 'early' && plan.uploadBytes > 0 && outcome.end === 'error') return undefined;
  // What has left cannot always be sent again, and the budget of retries may be used up.
  if (plan.refusals > 0 && outcome.status === 502) return undefined;
  if (outcome.end !== 'whole' || outcome.status !== 200) return `no whole response: ${shown}`;
  if (outcome.bytes !== plan.sizeBytes) return `a short response passed for a whole one: ${shown}`;
  if (plan.responds === 'after' && attempts.filter(({ isWhole }) => isWhole).length !== 1)
    return `not one whole request: ${shown}`;
  return undefined;
}
