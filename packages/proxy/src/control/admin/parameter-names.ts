import type { Problem, ServiceKey } from '@swarmgate/registry';
import { ownerOf } from '../watch/served-services.ts';

const withoutLabels = new Set(['manual', 'sample', 'env']);

/** Whether the service's parameters were written by REST, as JSON or as variables, and not as labels. */
export function isWithoutLabels(key: ServiceKey): boolean {
  return withoutLabels.has(ownerOf(key));
}

/** The problem with names as in the query: `port`, not `com.df.port`. */
export function inParameterNames(problem: Problem): Problem {
  const { message, suggestion } = problem;
  return {
    ...problem,
    message: withoutPrefix(message),
    ...(suggestion === undefined ? {} : { suggestion: withoutPrefix(suggestion) }),
  };
}

function withoutPrefix(text: string): string {
  return text.replace(/\bcom\.df\.(?=\w)/g, '');
}
