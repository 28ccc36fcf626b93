import { isTrue } from '@swarmgate/runtime';
import { upstreamServiceLabels } from '../catalogue/upstream-labels.ts';
import type { Problem } from '../definition/problem.ts';
import type { GivenOption, GivenOptions } from './given-options.ts';
import type { Target } from './target.ts';

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
export function stickinessOf(options: GivenOptions, kind: string, notHonoured: NotHonoured): Target['overrides'] {
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
    ...attributesOf((name) => get(`sticky.cookie.${name}`), notHonoured),
  };
}

/**
 * None unless an option of the cookie is given. Traefik sets neither HttpOnly nor SameSite by default; the proxy sets both unless they
 * are given otherwise, because scripts have no use for the cookie.
 */
function attributesOf(get: (name: string) => GivenOption | undefined, notHonoured: NotHonoured): Target['overrides'] {
  const given = new Map(
    ['path', 'domain', 'maxage', 'samesite', 'secure', 'httponly'].flatMap((name) => {
      const option = get(name);
      return option === undefined ? [] : [[name, option] as const];
    }),
  );
  const textOf = (name: string) => given.get(name)?.value.trim() ?? '';
  const sameSite = /^(default)?$/i.test(textOf('samesite')) ? 'Lax' : textOf('samesite');
  // Below 0 it ends at once, in Traefik as in `Max-Age=0`; 0 is none.
  const maxAge = textOf('maxage').replace(/^-\d+$/, '0');
  const written = [
    `Path=${textOf('path') || '/'}`,
    ...(textOf('domain') === '' ? [] : [`Domain=${textOf('domain')}`]),
    ...(maxAge === '' || textOf('maxage') === '0' ? [] : [`Max-Age=${maxAge}`]),
    ...(given.has('httponly') && !isTrue(textOf('httponly')) ? [] : ['HttpOnly']),
    `SameSite=${sameSite}`,
    ...(isTrue(textOf('secure')) ? ['Secure'] : []),
  ].join('; ');
  const [first] = given.values();
  if (first === undefined) return {};
  const attributes = upstreamServiceLabels.sessionCookieAttributes.parse(written, { separator: ',' });
  if (attributes.ok && attributes.value !== undefined) return { sessionCookieAttributes: attributes.value };
  notHonoured(first, `${written} are not attributes of a cookie, so it has the default ones`, 'correct them');
  return {};
}
