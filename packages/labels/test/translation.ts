import type { Problem } from '../src/definition/problem.ts';
import {
  type Translation,
  type TranslationContext,
  translateParameters,
} from '../src/docker-flow/translate-parameters.ts';

/** What the tests of `translateParameters` share. */

export const context: TranslationContext = {
  owner: 'swarm',
  separator: ',',
  source: { kind: 'rest', by: 'a test' },
  updatedAt: '2026-01-02T03:04:05.000Z',
  nowMs: 1000,
};

export function translate(parameters: Record<string, string>, changes: Partial<TranslationContext> = {}): Translation {
  return translateParameters(parameters, { ...context, ...changes });
}

export const reasonsOf = (problems: readonly Problem[]) => problems.map(({ label, reason }) => `${label}: ${reason}`);

export const minimal = { serviceName: 'go-demo', servicePath: '/demo', port: '8080' };
