import Negotiator from 'negotiator';
import type { LocalResponse } from '../../model/local-response.ts';
import { middlewareResponses } from '../local-responses.ts';
import type { TimedPage } from './maintenance-in-force.ts';

const usualRetryMs = 120_000;

/**
 * What clients get of a service in maintenance: 503 with `Retry-After` (RFC 9110, section 10.2.3), as HTML where the client
 * prefers that to text, never stored. Calls of gRPC end with 14 (unavailable) and the message. Pure.
 *
 * @param accept the client's `Accept`
 */
export function maintenanceResponse(page: TimedPage, accept: string | undefined, nowMs: number): LocalResponse {
  const asHtml = prefersHtml(accept);
  const { status, body } = middlewareResponses.maintenance;
  const message = page.message ?? body;
  return {
    status,
    reason: 'maintenance',
    headers: [
      'Retry-After',
      String(retryAfterSeconds(page, nowMs)),
      'Cache-Control',
      'no-store',
      'Content-Type',
      `text/${asHtml ? 'html' : 'plain'}; charset=utf-8`,
    ],
    body: asHtml ? (page.page ?? usualPage(message)) : `${message}\n`,
  };
}

/** The page's own value, else what is left of the maintenance, else two minutes; at least a second. */
function retryAfterSeconds({ retryAfterMs, untilMs }: TimedPage, nowMs: number): number {
  const ms = retryAfterMs ?? (Number.isFinite(untilMs) ? untilMs - nowMs : usualRetryMs);
  return Math.max(1, Math.ceil(ms / 1_000));
}

/** Programs that take anything get text. */
function prefersHtml(accept: string | undefined): boolean {
  if (accept === undefined || !/html/i.test(accept)) return false;
  return new Negotiator({ headers: { accept } }).mediaTypes(['text/plain', 'text/html'])[0] === 'text/html';
}

function usualPage(message: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Maintenance</title>
<style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:20vh auto;padding:0 1rem}</style>
<h1>Maintenance</h1>
<p>${escaped(message)}</p>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
