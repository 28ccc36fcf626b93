import type { OverridingLabels } from '../catalogue/labels.ts';
import { upstreamServiceLabels } from '../catalogue/upstream-labels.ts';
import type { Problem } from '../definition/problem.ts';
import type { GivenOption, GivenOptions } from './given-options.ts';

export type NotHonoured = (given: GivenOption | undefined, why: string, suggestion: string) => void;

/** Adds a warning for each option that is given. */
export function reportTo(problems: Problem[]): NotHonoured {
  return (given, why, suggestion) => {
    if (given === undefined) return;
    problems.push({
      severity: 'warning',
      reason: 'label-not-honoured',
      message: `${given.label} has no effect: ${why}`,
      label: given.label,
      value: given.value.slice(0, 100),
      suggestion,
    });
  };
}

/** @param kind `loadbalancer` or `weighted` */
export function stickinessOf(
  options: GivenOptions,
  kind: string,
  notHonoured: NotHonoured,
): Pick<OverridingLabels, 'sessionType' | 'sessionCookie'> {
  const get = (key: string) => options.get(`${kind}.${key}`);
  const isSticky = [...options].some(
    ([key, { value }]) => key.startsWith(`${kind}.sticky.cookie`) && !/^(0|f|false)$/i.test(value.trim()),
  );
  if (!isSticky) notHonoured(get('sticky'), 'only a cookie makes sessions sticky', 'write sticky.cookie=true');
  const name = get('sticky.cookie.name');
  const cookie = name && upstreamServiceLabels.sessionCookie.parse(name.value, { separator: ',' });
  if (name !== undefined && cookie?.ok === false)
    notHonoured(name, `expected ${cookie.expected}`, 'choose another name');
  if (!isSticky) return {};
  return {
    sessionType: 'sticky-server',
    ...(cookie?.ok === true && cookie.value !== undefined ? { sessionCookie: cookie.value } : {}),
  };
}
