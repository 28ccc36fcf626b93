import type { Problem } from '../definition/problem.ts';
import type { GivenOption } from './given-options.ts';

/** One problem for all labels of Traefik 1, with what to write in version 3. */
export function labelsOfVersion1(given: readonly GivenOption[]): Problem | undefined {
  const [first] = given;
  if (first === undefined) return undefined;
  const names = given.map(({ label }) => label);
  const routing = given.find(({ label }) => /frontend\.rule$/i.test(label)) ?? first;
  return {
    severity: 'error',
    reason: 'traefik-version-1',
    message: `labels of Traefik 1 route nothing: ${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`,
    label: routing.label,
    suggestion: `write them as of version 3, such as ${inVersion3(given).join(' and ')}`,
  };
}

function inVersion3(given: readonly GivenOption[]): readonly string[] {
  const rule = given.find(({ label }) => /frontend\.rule$/i.test(label))?.value;
  const port = given.find(({ label }) => /(^|\.)port$/i.test(label))?.value;
  return [
    'traefik.enable=true',
    `traefik.http.routers.web.rule=${ruleOf(rule)}`,
    `traefik.http.services.web.loadbalancer.server.port=${/^\d{1,5}$/.test(port ?? '') ? port : '8080'}`,
  ];
}

/** `Host:a.example,b.example;PathPrefix:/x` → ``(Host(`a.example`) || Host(`b.example`)) && PathPrefix(`/x`)``. */
function ruleOf(rule: string | undefined): string {
  const parts = (rule ?? '').split(';').flatMap((part) => {
    const match = /^\s*(Host|Path|PathPrefix|PathStrip|PathPrefixStrip|Method)\s*:\s*([\w.,/*-]+)\s*$/.exec(part);
    if (match === null) return [];
    const name = match[1]?.replace('Strip', '') ?? '';
    const values = (match[2] ?? '').split(',').filter((value) => value !== '');
    const either = values.map((value) => `${name}(\`${value}\`)`).join(' || ');
    return [values.length > 1 ? `(${either})` : either];
  });
  return parts.length === 0 ? 'Host(`shop.example`)' : parts.join(' && ');
}
