import type { TraefikArgs } from '@swarmgate/labels/traefik';
import type { DesiredService } from '../compose/desired-services.ts';
import type { Effects } from '../compose/effects.ts';
import { describeProblem } from './problem.ts';

export function checkAsText(desired: readonly DesiredService[], effects: Effects | undefined): string {
  const lines: string[] = [];
  for (const service of desired) {
    const what =
      service.definition === undefined ? 'not served' : count(service.definition.destinations.length, 'destination');
    lines.push(`${service.position.file}:${service.position.line}: ${service.name}: ${what}`);
    for (const problem of service.problems) {
      lines.push(`  ${problem.position.file}:${problem.position.line}: ${describeProblem(problem)}`);
    }
  }
  if (desired.length === 0) lines.push('no service requests routes (com.df.notify=true in deploy.labels)');
  for (const { request, from, by } of effects?.taken ?? []) lines.push(`${by} would take ${request} from ${from}`);
  for (const { service, message } of effects?.lost ?? []) lines.push(`${service}: ${message}`);
  const all = desired.flatMap(({ problems }) => problems);
  const errors = all.filter(({ severity }) => severity === 'error').length;
  lines.push(
    '',
    `${count(errors, 'error')}, ${count(all.length - errors, 'warning')} in ${count(desired.length, 'service')}`,
  );
  return lines.join('\n');
}

/** Settings equivalent to Traefik's flags, and flags without an equivalent. */
export function traefikArgsAsText({ settings, problems }: TraefikArgs): string {
  return [
    'settings equivalent to the flags of Traefik:',
    ...settings.map(({ of, setting, from }) => `  ${of}: ${setting}  (${from})`),
    ...(settings.length === 0 ? ['  none is needed'] : []),
    ...problems.map((problem) => `  ${describeProblem(problem)}`),
  ].join('\n');
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** Workflow commands of GitHub Actions: `::error file=…,line=…::message`. */
export function checkAsGithub(desired: readonly DesiredService[], effects: Effects | undefined): string {
  const problems = desired.flatMap((service) =>
    service.problems.map(
      (problem) =>
        `::${problem.severity} file=${property(problem.position.file)},line=${problem.position.line},title=${property(service.name)}::${data(describeProblem(problem))}`,
    ),
  );
  const taken = (effects?.taken ?? []).map(
    ({ request, from, by }) => `::warning::${data(`${by} would take ${request} from ${from}`)}`,
  );
  const lost = (effects?.lost ?? []).map(({ service, message }) => `::warning::${data(`${service}: ${message}`)}`);
  return [...problems, ...taken, ...lost].join('\n');
}

/** @param rejected names of services whose labels are invalid, so that nothing of them would change */
export function diffAsText(
  { added, changed, removed, taken, lost, order }: Effects,
  rejected: readonly string[],
): string {
  const lines = [
    ...added.map((route) => `+ ${route}`),
    ...changed.map((route) => `~ ${route}`),
    ...removed.map((route) => `- ${route}`),
    ...taken.map(({ request, from, by }) => `! ${by} would take ${request} from ${from}`),
    ...lost.map(({ service, message }) => `! ${service}: ${message}`),
    ...order.map(
      ({ request, here, there, why }) =>
        `? ${request} goes to ${here} here, and in Traefik to ${there.join(' or ')}: ${why}`,
    ),
    ...rejected.map((service) => `! ${service} has invalid labels: swarmgate check names them`),
  ];
  return lines.length === 0 ? 'no difference' : lines.join('\n');
}

function data(text: string): string {
  return text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
}

function property(text: string): string {
  return data(text).replace(/:/g, '%3A').replace(/,/g, '%2C');
}
