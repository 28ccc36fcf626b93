import { type CircuitFigures, readCircuitExpression, type UseOf } from '@swarmgate/labels';
import { type ExchangeEnd, whenEnded } from '../../model/exchange.ts';
import { proceed, refuse } from '../local-responses.ts';
import type { Decision, Middleware } from '../middleware.ts';
import { RecentFigures } from './recent-figures.ts';

type State =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly untilMs: number }
  | { readonly kind: 'recovering'; readonly sinceMs: number; requested: number; passed: number };

/**
 * `circuitBreaker`: opens where its expression holds for the responses of the last 10 s, and responds by itself for
 * `fallbackDuration`; then a growing share of the requests passes over `recoveryDuration`, unless it holds again. One for each
 * route and process.
 */
export function circuitBreaker(use: UseOf<'circuitBreaker'>, nowMs = () => performance.now()): Middleware {
  const { checkPeriodMs = 100, fallbackDurationMs = 10_000, recoveryDurationMs = 10_000 } = use;
  const read = readCircuitExpression(use.expression);
  if (!read.ok) throw new TypeError(`circuitBreaker: ${read.expected}`);
  const opened = openedResponse(use.responseCode);
  const figures = new RecentFigures(nowMs);
  let state: State = { kind: 'closed' };
  let checkedMs = Number.NEGATIVE_INFINITY;

  const check = (now: number) => {
    if (now - checkedMs < checkPeriodMs) return;
    checkedMs = now;
    const current: CircuitFigures = figures.merged();
    if (current.total > 0 && read.holds(current)) {
      state = { kind: 'open', untilMs: now + fallbackDurationMs };
      figures.forget();
    }
  };
  const note = (end: ExchangeEnd) => {
    figures.add(end.status, isNetworkError(end), end.durationMs);
    if (state.kind !== 'open') check(nowMs());
  };
  const passes = (now: number): boolean => {
    if (state.kind === 'open') {
      if (now < state.untilMs) return false;
      state = { kind: 'recovering', sinceMs: now, requested: 0, passed: 0 };
    }
    if (state.kind === 'closed') return true;
    const share = (now - state.sinceMs) / recoveryDurationMs;
    if (share >= 1) {
      state = { kind: 'closed' };
      return true;
    }
    state.requested += 1;
    // One request of the first ones has to pass, or the breaker would have no figures.
    if (state.passed > share * state.requested) return false;
    state.passed += 1;
    return true;
  };
  return {
    name: 'circuitBreaker',
    onRequest(exchange) {
      if (!passes(nowMs())) return opened;
      whenEnded(exchange, note);
      return proceed;
    },
  };
}

function openedResponse(status: number | undefined): Decision {
  const refused = refuse('circuit-open', ['Retry-After', '1']);
  if (refused.kind !== 'respond' || status === undefined) return refused;
  return { kind: 'respond', response: { ...refused.response, status } };
}

const networkErrors = new Set([
  'endpoint-unreachable',
  'endpoint-answer-invalid',
  'wrong-protocol',
  'connect-timeout',
  'head-timeout',
  'no-endpoint',
]);

function isNetworkError({ status, reason }: ExchangeEnd): boolean {
  return status === 502 || status === 504 || (reason !== undefined && networkErrors.has(reason));
}
