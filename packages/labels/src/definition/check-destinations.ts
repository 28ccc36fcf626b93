import { type PathPatternText, pathPatternText } from '../values/path-pattern.ts';
import type { PathType } from '../values/path-type.ts';
import { regularExpressionFault } from '../values/regular-expression.ts';
import { checkBounds } from './check-bounds.ts';
import { checkMode } from './check-modes.ts';
import { labelName } from './label-name.ts';
import type { Problem } from './problem.ts';
import type { Destination } from './service-definition.ts';

/**
 * What spans several fields: bounds of the whole service, and for every destination what Docker Flow checks for the first
 * (`reconfigure`), its patterns, its redirect, its protocol and its mode. Nothing but the bound is reported beyond a bound.
 */
export function checkDestinations(destinations: readonly Destination[]): readonly Problem[] {
  const exceeded = checkBounds(destinations);
  if (exceeded.length > 0) return exceeded;
  // Un-indexed labels are defaults of up to 1,000 destinations: each pattern is compiled once.
  const known = new Map<string, PathPatternText>();
  return destinations.flatMap((destination, at) => [
    ...checkMatchAndPort(destination, at === 0),
    ...checkPaths(destination, known),
    ...checkRedirect(destination),
    ...checkProtocol(destination),
    ...checkMode(destination),
  ]);
}

/** @param isFirst Docker Flow requires `port` in the first destination; in others `httpsPort` alone is enough */
function checkMatchAndPort(destination: Destination, isFirst: boolean): readonly Problem[] {
  const mode = destination.reqMode ?? 'http';
  if (mode !== 'http') {
    const entry = destination.srcPort ?? destination.entryPorts;
    if (entry !== undefined && destination.port !== undefined) return [];
    return [
      {
        severity: 'error',
        reason: 'tcp-ports-missing',
        message: `reqMode ${mode} needs the port clients connect to (srcPort) and the port of the service (port)`,
        label: labelName('srcPort', destination),
        suggestion: `set ${labelName('srcPort', destination)}, such as 5432, and ${labelName('port', destination)}`,
      },
    ];
  }
  const problems: Problem[] = [];
  if (destination.servicePath === undefined && destination.serviceDomain === undefined) {
    problems.push({
      severity: 'error',
      reason: 'match-missing',
      message: 'neither servicePath nor serviceDomain is set, so no request belongs to the service',
      label: labelName('servicePath', destination),
      suggestion: `set ${labelName('servicePath', destination)}, such as /shop, or ${labelName('serviceDomain', destination)}, such as shop.example`,
    });
  }
  if (destination.port === undefined && (isFirst || destination.httpsPort === undefined)) {
    problems.push({
      severity: 'error',
      reason: 'port-missing',
      message: `${labelName('port', destination)}, the port the service listens on inside its container, is not set`,
      label: labelName('port', destination),
      suggestion: `set ${labelName('port', destination)}, such as 8080`,
    });
  }
  return problems;
}

function checkPaths(destination: Destination, known: Map<string, PathPatternText>): readonly Problem[] {
  const mode = destination.reqMode ?? 'http';
  // Nothing is compared; `checkMode` reports the label.
  if (mode === 'tcp') return [];
  const comparesNames = mode !== 'http';
  const type = destination.pathType ?? { matcher: comparesNames ? 'sni' : 'path_beg', ignoreCase: false };
  const problems: Problem[] = [];
  for (const field of ['servicePath', 'servicePathExclude'] as const) {
    for (const path of destination[field] ?? []) {
      const key = JSON.stringify([mode, type.matcher, type.ignoreCase, path]);
      const compared = known.get(key) ?? (comparesNames ? namePatternText(path, type) : pathPatternText(path, type));
      known.set(key, compared);
      if (!compared.ok) problems.push(pathProblem(labelName(field, destination), path, compared, field, type));
    }
  }
  return problems;
}

function namePatternText(text: string, { matcher }: PathType): PathPatternText {
  if (!matcher.startsWith('sni'))
    return {
      ok: false,
      expected: `a pathType that compares server names, not ${matcher}`,
      suggestion: 'set pathType to req_ssl_sni with -m str, beg, end or reg, or use serviceDomain',
    };
  const fault = matcher === 'sni_reg' ? regularExpressionFault(text) : undefined;
  if (fault === undefined) return { ok: true, text };
  return {
    ok: false,
    expected: fault.replace(/^expected /, ''),
    suggestion: 'write it without look-around and back-references',
  };
}

function pathProblem(
  label: string,
  path: string,
  { expected, suggestion }: PathPatternText & { readonly ok: false },
  field: 'servicePath' | 'servicePathExclude',
  { matcher }: PathType,
): Problem {
  // Docker Flow takes such a path and never matches it. An exclusion that never matches would let requests in.
  if (field === 'servicePath' && (matcher === 'path' || matcher === 'path_beg') && !path.startsWith('/'))
    return {
      severity: 'warning',
      reason: 'path-without-slash',
      message: `${label} ${JSON.stringify(path)} does not begin with a slash and can never match`,
      label,
      value: path,
      suggestion,
    };
  return {
    severity: 'error',
    reason: 'label-value-invalid',
    message: `${label} is ${JSON.stringify(path)}: expected ${expected}`,
    label,
    value: path,
    suggestion,
  };
}

function checkRedirect(destination: Destination): readonly Problem[] {
  if (destination.redirectFromDomain === undefined) return [];
  const to = destination.serviceDomain?.[0];
  if (to !== undefined && !to.startsWith('*')) return [];
  return [
    {
      severity: 'error',
      reason: 'redirect-without-domain',
      message: `redirectFromDomain leads to the first serviceDomain, which is ${to === undefined ? 'not set' : to}`,
      label: labelName('redirectFromDomain', destination),
      suggestion: `put a full host name first in ${labelName('serviceDomain', destination)}`,
    },
  ];
}

/** Both labels decide about TLS: the one that encrypts takes precedence. */
function checkProtocol({ protocol, sslVerifyNone, ...destination }: Destination): readonly Problem[] {
  if (protocol !== 'h2c' || sslVerifyNone !== true) return [];
  const label = labelName('protocol', destination);
  return [
    {
      severity: 'warning',
      reason: 'protocol-with-tls',
      message: `${label} h2c is HTTP/2 in plain text, but sslVerifyNone requires TLS: the service is reached by h2`,
      label,
      value: 'h2c',
      suggestion: `set ${label} to h2, or leave sslVerifyNone out`,
    },
  ];
}
