/** Columns padded to their widest cell, two spaces apart; the last column is not padded. No rows: the heading alone. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heading, ...rows];
  const widths = heading.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => (column === line.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** `90 s`, `12 min`, `3 h`, `5 d`: the largest unit with a value of at least 2. */
export function age(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1000],
  ] as const;
  for (const [unit, lengthMs] of units) {
    if (ms >= 2 * lengthMs || unit === 's') return `${Math.max(0, Math.round(ms / lengthMs))} ${unit}`;
  }
  return '0 s';
}
