import type { Problem } from './problem.ts';
import type { ServiceDefinition } from './service-definition.ts';

/** The registry writes a definition and its former version in one transaction of 512 KiB, values in base64. */
const mostDefinitionBytes = 180_000;

export function definitionSizeProblem(definition: ServiceDefinition): Problem | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(definition, undefined, 2));
  return bytes > mostDefinitionBytes ? tooLarge(bytes) : undefined;
}

export function tooLarge(size: number): Problem {
  return {
    severity: 'error',
    reason: 'definition-too-large',
    message: `the definition would take ${size.toLocaleString('en')} bytes, and the registry takes ${mostDefinitionBytes.toLocaleString('en')} of one service`,
    suggestion:
      'give lists that all destinations share once each, or split the service into several names by reconfigure',
  };
}
