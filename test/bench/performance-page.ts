/**
 * The rows of a table of figures by their first cell: new ones take the place of the same rows of the section, and the others
 * stay. So a table that takes long is measured in parts.
 */
export function withRows(page: string, name: string, section: string): string {
  const nameOf = (row: string) => row.split(' | ')[0] ?? row;
  const isRow = (line: string) => line.startsWith('| ') && !line.startsWith('| what |');
  const rows = new Map(
    sectionOf(page, name)
      .split('\n')
      .filter(isRow)
      .map((row) => [nameOf(row), row]),
  );
  for (const row of section.split('\n').filter(isRow)) rows.set(nameOf(row), row);
  const head = section.split('\n').filter((line) => !isRow(line));
  return withSection(page, name, [...head, ...rows.values()].join('\n'));
}

function sectionOf(page: string, name: string): string {
  const [, behind = ''] = page.split(`<!-- bench:${name} -->`);
  return behind.split(`<!-- /bench:${name} -->`)[0] ?? '';
}

/** Replaces what stands between the two marks of a section; everything around it is prose and stays. */
export function withSection(page: string, name: string, section: string): string {
  const open = `<!-- bench:${name} -->`;
  const close = `<!-- /bench:${name} -->`;
  const from = page.indexOf(open);
  const to = page.indexOf(close);
  if (from === -1 || to < from) throw new Error(`docs/performance.md has no section ${open} … ${close}`);
  return `${page.slice(0, from + open.length)}\n${section.trim()}\n${page.slice(to)}`;
}
