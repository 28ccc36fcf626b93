import type { LabelEntry } from '../catalogue/label-entry.ts';
import { destinationLabels, findLabel, labelNames, serviceLabels } from '../catalogue/labels.ts';
import { nearestName } from '../values/nearest-name.ts';
import type { GivenParameter } from './label-parameters.ts';

/** Values of labels for services that do not set them, by `UPPER_SNAKE` of the label (`DEFAULT_<LABEL>`). */
export type LabelDefaults = Readonly<Record<string, string>>;

/** What a service writes to have no value where there is a default. */
const none = 'none';

const entries = { ...serviceLabels, ...destinationLabels } as unknown as Readonly<Record<string, LabelEntry>>;

const nameBySnake: ReadonlyMap<string, string> = new Map(
  Object.values(entries).map(({ name }) => [name.replace(/[A-Z]/g, '_$&').toUpperCase(), name]),
);

/**
 * What is wrong with defaults, one sentence for each: a value that its label does not take, or a name that is nearly a
 * label's. Other names are variables of something else. Pure.
 */
export function defaultLabelFaults(defaults: LabelDefaults, separator: string): readonly string[] {
  return Object.entries(defaults).flatMap(([snake, value]) => {
    const name = nameBySnake.get(snake);
    const entry = name === undefined ? undefined : entryOf(name);
    if (entry !== undefined) {
      const parsed = entry.parse(value, { separator });
      const shown = entry.secret === true ? '(secret)' : JSON.stringify(value);
      return parsed.ok ? [] : [`DEFAULT_${snake}=${shown}: expected ${parsed.expected}`];
    }
    const nearest = nearestName(labelOf(snake), [...labelNames()]);
    const meant = nearest?.replace(/[A-Z]/g, '_$&').toUpperCase();
    return meant === undefined ? [] : [`DEFAULT_${snake}: expected DEFAULT_${meant}, or another name`];
  });
}

/**
 * The parameters with the defaults of all labels that the service does not set. `none` at a label that has a default leaves it
 * out: for the whole service, or for one destination where it carries an index. `left` has those, as `<label>.<index>`.
 */
export function withDefaults(
  given: readonly GivenParameter[],
  defaults: LabelDefaults = {},
): { readonly given: readonly GivenParameter[]; readonly left: ReadonlySet<string> } {
  const values = new Map<string, string>();
  for (const [snake, value] of Object.entries(defaults)) {
    const name = nameBySnake.get(snake);
    if (name !== undefined) values.set(name, value);
  }
  if (values.size === 0) return { given, left: new Set() };
  const nameOf = (name: string) => {
    const known = findLabel(name);
    return known === undefined || known.scope === 'other' ? name : known.entry.name;
  };
  const isNone = ({ name, value }: GivenParameter) => value.trim() === none && values.has(nameOf(name));
  const set = new Set(given.filter(({ index }) => index === 0).map(({ name }) => nameOf(name)));
  const added = [...values].flatMap(([name, value]): GivenParameter[] =>
    set.has(name) ? [] : [{ fullName: name, name, index: 0, value }],
  );
  return {
    given: [...given.filter((each) => !isNone(each)), ...added],
    left: new Set(
      given.filter((each) => isNone(each) && each.index > 0).map((each) => `${nameOf(each.name)}.${each.index}`),
    ),
  };
}

function entryOf(name: string): LabelEntry | undefined {
  const known = findLabel(name);
  return known === undefined || known.scope === 'other' ? undefined : known.entry;
}

function labelOf(snake: string): string {
  return snake.toLowerCase().replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
