/** A table of figures: a heading of two lines, and rows that are known by their first cell. */
interface Table {
  readonly heading: string;
  rows: string[];
}

/** What was measured on one machine on one day. */
interface Block {
  /** Names the machine. */
  readonly machine: string;
  readonly tables: Table[];
  /** Lines below the tables, each about the row that it begins with. */
  notes: string[];
}

/**
 * Puts the rows of a section in the place of those with the same first cell; the others stay, each below the line of the machine that it
 * was measured on. So a table that takes long is measured in parts, and on several machines.
 */
export function withRows(page: string, name: string, section: string): string {
  const [measured] = blocksOf(section);
  if (measured === undefined) throw new Error(`no machine is named by ${section}`);
  const blocks = blocksOf(sectionOf(page, name));
  const before = blocks.find(({ machine }) => machine === measured.machine);
  const into = before ?? { machine: measured.machine, tables: [], notes: [] };
  if (before === undefined) blocks.unshift(into);
  const keys = new Set(measured.tables.flatMap(({ rows }) => rows.map(keyOf)));
  const isStale = (note: string) =>
    [...keys, ...measured.notes.map(noteKeyOf)].some((key) => note.startsWith(`${key}:`));
  for (const block of blocks) {
    block.notes = block.notes.filter((note) => !isStale(note));
    if (block === into) continue;
    for (const table of block.tables) table.rows = table.rows.filter((row) => !keys.has(keyOf(row)));
  }
  for (const { heading, rows } of measured.tables) {
    const table = into.tables.find((each) => each.heading === heading);
    if (table === undefined) into.tables.push({ heading, rows });
    else table.rows = replaced(table.rows, rows);
  }
  into.notes.push(...measured.notes);
  const kept = blocks.filter(({ tables }) => tables.some(({ rows }) => rows.length > 0));
  return withSection(page, name, kept.map(textOf).join('\n\n'));
}

/** New rows stand where the old ones with their key did, or else behind all. */
function replaced(rows: readonly string[], measured: readonly string[]): string[] {
  const byKey = Map.groupBy(measured, keyOf);
  const kept = new Set<string>();
  const all = rows.flatMap((row) => {
    const key = keyOf(row);
    const own = byKey.get(key);
    if (own === undefined) return [row];
    if (kept.has(key)) return [];
    kept.add(key);
    return own;
  });
  return [...all, ...measured.filter((row) => !kept.has(keyOf(row)))];
}

function blocksOf(section: string): Block[] {
  const blocks: Block[] = [];
  const lines = section.split('\n');
  for (const [at, line] of lines.entries()) {
    const block = blocks.at(-1);
    const isBelowHeading = line.startsWith('|---');
    if (line.startsWith('Machine: ')) blocks.push({ machine: line, tables: [], notes: [] });
    else if (block === undefined || line === '' || isBelowHeading) continue;
    else if (!line.startsWith('|')) block.notes.push(line);
    else if (lines[at + 1]?.startsWith('|---')) block.tables.push({ heading: `${line}\n${lines[at + 1]}`, rows: [] });
    else block.tables.at(-1)?.rows.push(line);
  }
  return blocks;
}

function textOf({ machine, tables, notes }: Block): string {
  const shown = tables.filter(({ rows }) => rows.length > 0);
  return [machine, ...shown.map(({ heading, rows }) => [heading, ...rows].join('\n')), ...notes].join('\n\n');
}

function keyOf(row: string): string {
  return (row.split(' | ')[0] ?? row).replace('| ', '');
}

function noteKeyOf(note: string): string {
  return note.split(':')[0] ?? note;
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
