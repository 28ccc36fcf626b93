/**
 * Time that a `Retry-After` header asks for, in milliseconds from now (RFC 9110, section 10.2.3); `undefined` where there
 * is none. A date is compared with the response's own `Date`, so a local clock that is off does not change the wait.
 */
export function retryAfterMs(header: string | undefined, date: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // A date begins with its weekday; without this check a negative number would count as a year.
  const until = /^[A-Z]/i.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(until)) return undefined;
  const sent = Date.parse(date ?? '');
  return Math.max(0, until - (Number.isNaN(sent) ? nowMs : sent));
}
