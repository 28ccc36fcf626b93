/** A problem as the REST shows it. */
export interface ShownProblem {
  readonly severity: 'error' | 'warning';
  readonly reason: string;
  readonly message: string;
  readonly label?: string;
  readonly value?: string;
  readonly suggestion?: string;
}

/** `error servicePath=x: message. suggestion`. */
export function describeProblem(problem: ShownProblem): string {
  const label =
    problem.label === undefined ? '' : ` ${problem.label}${problem.value === undefined ? '' : `=${problem.value}`}`;
  const suggestion = problem.suggestion === undefined ? '' : ` → ${problem.suggestion}`;
  return `${problem.severity}${label}: ${problem.message}${suggestion}`;
}
