/** The longest window of any limit of a certificate authority is a week. A wish beyond that would stop a task for years. */
const longestMs = 7 * 86_400_000;

/**
 * Time that a `Retry-After` header gives, in milliseconds from now (RFC 9110, section 10.2.3), at most a week;
 * `undefined` where there is none. A date is compared with the response's own `Date`, so a local clock that is off does not change the wait.
 */
export function retryAfterMs(header: string | undefined, date: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Math.min(Number(text) * 1000, longestMs);
  // A date begins with its weekday; without this check a negative number would count as a year.
  const until = /^[A-Z]/i.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(until)) return undefined;
  const sent = Date.parse(date ?? '');
  return Math.min(Math.max(0, until - (Number.isNaN(sent) ? nowMs : sent)), longestMs);
}
