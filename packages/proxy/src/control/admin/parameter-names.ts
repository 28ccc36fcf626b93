import type { Problem, ServiceKey } from '@swarmgate/registry';
import { ownerOf } from '../watch/served-services.ts';

const withoutLabels = new Set(['manual', 'sample', 'env']);

/** Whether what the service asks for was written by REST, as JSON or as variables, and not as labels. */
export function isWithoutLabels(key: ServiceKey): boolean {
  return withoutLabels.has(ownerOf(key));
}

/** The problem in the words of somebody who wrote `port=80`, and not `com.df.port=80`. */
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
