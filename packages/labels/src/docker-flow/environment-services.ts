import { labelNames } from '../catalogue/labels.ts';
import type { LabelDefaults } from './default-labels.ts';
import type { LabelParameters } from './label-parameters.ts';
import { type Translation, translateParameters } from './translate-parameters.ts';

export interface EnvironmentService {
  /** `DFP_SERVICE` or `DFP_SERVICE_3`: what its variables begin with. */
  readonly prefix: string;
  /** Its serviceName; where none is set, the prefix. */
  readonly service: string;
  readonly translation: Translation;
}

export interface EnvironmentContext {
  readonly separator: string;
  /** ISO 8601. */
  readonly updatedAt: string;
  readonly nowMs: number;
  readonly defaults?: LabelDefaults;
}

/**
 * `DFP_SERVICE[_N]_<UPPER_SNAKE>[_i]` → services of owner `env`, which never enter the registry. `N` tells services
 * apart, `i` destinations. Pure; never throws. In the order of N, the one without a number first.
 */
export function environmentServices(
  env: Readonly<Record<string, string | undefined>>,
  context: EnvironmentContext,
): readonly EnvironmentService[] {
  const groups = new Map<number, Map<string, string>>();
  for (const [variable, value] of Object.entries(env)) {
    const match = /^DFP_SERVICE_(?:(\d{1,4})_)?([A-Z][A-Z0-9_]*?)(?:_(\d{1,4}))?$/.exec(variable);
    if (match === null || value === undefined || value === '') continue;
    const [, number, snake = '', index] = match;
    const group = groups.get(Number(number ?? 0)) ?? new Map<string, string>();
    groups.set(Number(number ?? 0), group);
    group.set(`${labelOf(snake)}${index === undefined ? '' : `.${index}`}`, value);
  }
  return [...groups].toSorted(([a], [b]) => a - b).map(([number, group]) => serviceOf(number, group, context));
}

function serviceOf(
  number: number,
  parameters: LabelParameters & Map<string, string>,
  context: EnvironmentContext,
): EnvironmentService {
  const prefix = number === 0 ? 'DFP_SERVICE' : `DFP_SERVICE_${number}`;
  const translation = translateParameters(parameters, {
    owner: 'env',
    separator: context.separator,
    source: { kind: 'env', by: prefix },
    updatedAt: context.updatedAt,
    nowMs: context.nowMs,
    ...(context.defaults === undefined ? {} : { defaults: context.defaults }),
  });
  return { prefix, service: translation.definition?.service ?? parameters.get('serviceName') ?? prefix, translation };
}

const labelBySnake: ReadonlyMap<string, string> = new Map([...labelNames()].map((name) => [snakeOf(name), name]));

/** `SERVICE_PATH` → `servicePath`; unknown ones too, so that they can be reported. */
function labelOf(snake: string): string {
  return (
    labelBySnake.get(snake) ?? snake.toLowerCase().replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
  );
}

function snakeOf(name: string): string {
  return name.replace(/[A-Z]/g, '_$&').toUpperCase();
}
