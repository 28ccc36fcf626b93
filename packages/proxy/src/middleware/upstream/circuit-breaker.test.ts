import { expect } from 'chai';
import { exchangeOf, routeOf } from '../../../test/middleware-fixture.ts';
import { endExchange } from '../../exchange/run-middleware.ts';
import type { Decision } from '../middleware.ts';
import { circuitBreaker } from './circuit-breaker.ts';

function breaker(expression: string, more: { fallbackDurationMs?: number; responseCode?: number } = {}) {
  let nowMs = 1_000;
  const step = circuitBreaker(
    {
      kind: 'circuitBreaker',
      expression,
      checkPeriodMs: 100,
      fallbackDurationMs: 5_000,
      recoveryDurationMs: 10_000,
      ...more,
    },
    () => nowMs,
  );
  /** What a request gets, and how it ends where it passes. */
  const send = (end: { status?: number; reason?: string; durationMs?: number } = {}): string => {
    const exchange = exchangeOf(routeOf());
    const decision = step.onRequest?.(exchange) as Decision;
    if (decision.kind === 'respond') return `${decision.response.status} ${decision.response.reason}`;
    endExchange(exchange, { status: end.status ?? 200, reason: end.reason, durationMs: end.durationMs ?? 1 });
    return 'passes';
  };
  return {
    send,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe('circuitBreaker', () => {
  const opening: readonly (readonly [string, Parameters<ReturnType<typeof breaker>['send']>[0]])[] = [
    ['NetworkErrorRatio() > 0.30', { status: 502, reason: 'endpoint-unreachable' }],
    ['NetworkErrorRatio() >= 1', { status: 504 }],
    ['ResponseCodeRatio(500, 600, 0, 600) > 0.25', { status: 500 }],
    ['LatencyAtQuantileMS(50.0) > 100', { durationMs: 101 }],
    ['LatencyAtQuantileMS(50.0) > 1000 || NetworkErrorRatio() > .3', { status: 502 }],
    ['!(NetworkErrorRatio() < 0.5) && ResponseCodeRatio(500, 600, 0, 600) == 1', { status: 502 }],
  ];
  for (const [expression, end] of opening)
    it(`opens by ${expression}`, () => {
      const { send } = breaker(expression);
      expect(send(end)).to.equal('passes');
      expect(send(end)).to.equal('503 circuit-open');
    });

  const closed: readonly (readonly [string, Parameters<ReturnType<typeof breaker>['send']>[0]])[] = [
    ['NetworkErrorRatio() > 0.30', { status: 500 }],
    ['ResponseCodeRatio(500, 600, 0, 600) > 0.25', { status: 404 }],
    ['LatencyAtQuantileMS(50.0) > 100', { durationMs: 100 }],
    ['NetworkErrorRatio() > 0.30 && LatencyAtQuantileMS(99) > 100', { status: 502 }],
  ];
  for (const [expression, end] of closed)
    it(`stays closed by ${expression} for ${JSON.stringify(end)}`, () => {
      const { send, pass } = breaker(expression);
      for (let times = 0; times < 5; times += 1) {
        expect(send(end)).to.equal('passes');
        pass(200);
      }
    });

  it('lets a growing share pass after the fallback, and closes', () => {
    const { send, pass } = breaker('NetworkErrorRatio() > 0.30');
    send({ status: 502 });
    pass(4_999);
    expect(send()).to.equal('503 circuit-open');
    pass(1);
    const passed = (times: number) =>
      Array.from({ length: times }, () => send()).filter((each) => each === 'passes').length;
    expect(passed(100)).to.equal(1);
    pass(5_000);
    expect(passed(100)).to.be.within(45, 105);
    pass(5_000);
    expect(passed(10)).to.equal(10);
  });

  it('opens again where the service still fails', () => {
    const { send, pass } = breaker('NetworkErrorRatio() > 0.30');
    send({ status: 502 });
    pass(5_000);
    expect(send({ status: 502 })).to.equal('passes');
    pass(9_000);
    expect(send()).to.equal('passes');
    pass(200);
    expect(breaker('NetworkErrorRatio() > 0.30').send()).to.equal('passes');
  });

  it('drops what is older than 10 s', () => {
    const { send, pass } = breaker('NetworkErrorRatio() > 0.60');
    send({ status: 200 });
    send({ status: 502 });
    pass(11_000);
    expect(send({ status: 502 })).to.equal('passes');
    pass(200);
    expect(send()).to.equal('503 circuit-open');
  });

  it('responds by the status that the route names', () => {
    const { send } = breaker('NetworkErrorRatio() > 0.30', { responseCode: 504 });
    send({ status: 502 });
    expect(send()).to.equal('504 circuit-open');
  });
});
