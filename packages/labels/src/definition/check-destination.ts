import { regularExpressionFault } from '../values/regular-expression.ts';
import type { Problem } from './problem.ts';
import type { Destination } from './service-definition.ts';

/** What spans several fields of one destination: Docker Flow's own answers (`reconfigure`), for every destination. */
export function checkDestination(destination: Destination): readonly Problem[] {
  return [...checkMatchAndPort(destination), ...checkPaths(destination), ...checkRedirect(destination)];
}

function checkMatchAndPort(destination: Destination): readonly Problem[] {
  const mode = destination.reqMode ?? 'http';
  if (mode !== 'http') {
    if (destination.srcPort !== undefined && destination.port !== undefined) return [];
    return [
      {
        severity: 'error',
        reason: 'tcp-ports-missing',
        message: `reqMode ${mode} needs the port clients connect to (srcPort) and the port of the service (port)`,
        label: labelName('srcPort', destination),
        suggestion: `set both ${labelName('srcPort', destination)} and ${labelName('port', destination)}`,
      },
    ];
  }
  const problems: Problem[] = [];
  if (destination.servicePath === undefined && destination.serviceDomain === undefined) {
    problems.push({
      severity: 'error',
      reason: 'match-missing',
      message: 'neither servicePath nor serviceDomain says which requests belong to the service',
      label: labelName('servicePath', destination),
      suggestion: `set ${labelName('servicePath', destination)} or ${labelName('serviceDomain', destination)}`,
    });
  }
  if (destination.port === undefined) {
    problems.push({
      severity: 'error',
      reason: 'port-missing',
      message: `${labelName('port', destination)}, the port the service listens on inside its container, is not set`,
      label: labelName('port', destination),
      suggestion: `set ${labelName('port', destination)}`,
    });
  }
  return problems;
}

function checkPaths(destination: Destination): readonly Problem[] {
  const matcher = destination.pathType?.matcher ?? 'path_beg';
  const problems: Problem[] = [];
  for (const field of ['servicePath', 'servicePathExclude'] as const) {
    for (const path of destination[field] ?? []) {
      const label = labelName(field, destination);
      if (matcher === 'path_reg' || matcher === 'sni_reg') {
        const fault = regularExpressionFault(path);
        if (fault !== undefined)
          problems.push({
            severity: 'error',
            reason: 'label-value-invalid',
            message: `${label} is ${JSON.stringify(path)}: ${fault}`,
            label,
            value: path,
            suggestion: 'write it without look-around and back-references',
          });
      } else if ((matcher === 'path_beg' || matcher === 'path') && !path.startsWith('/')) {
        problems.push({
          severity: 'warning',
          reason: 'path-without-slash',
          message: `${label} ${JSON.stringify(path)} does not begin with a slash and can never match`,
          label,
          value: path,
          suggestion: `write /${path}`,
        });
      }
    }
  }
  return problems;
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

/** `servicePath.2` for an indexed destination, `servicePath` for the un-indexed one. */
export function labelName(name: string, destination: { readonly index: number }): string {
  return destination.index === 0 ? name : `${name}.${destination.index}`;
}
