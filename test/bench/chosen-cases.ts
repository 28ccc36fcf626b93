/** The cases that `--only` names: one by its whole name, else all whose names hold the text. None is named: all. */
export function chosenCases<C extends { readonly name: string }>(
  cases: readonly C[],
  only: readonly string[],
): readonly C[] {
  if (only.length === 0) return cases;
  const chosen = new Set(
    only.flatMap((text) => {
      const whole = cases.filter(({ name }) => name === text);
      return whole.length > 0 ? whole : cases.filter(({ name }) => name.includes(text));
    }),
  );
  return cases.filter((each) => chosen.has(each));
}
