/** Replaces what stands between the two marks of a section; everything around it is prose and stays. */
export function withSection(page: string, name: string, section: string): string {
  const open = `<!-- bench:${name} -->`;
  const close = `<!-- /bench:${name} -->`;
  const from = page.indexOf(open);
  const to = page.indexOf(close);
  if (from === -1 || to < from) throw new Error(`docs/performance.md has no section ${open} … ${close}`);
  return `${page.slice(0, from + open.length)}\n${section.trim()}\n${page.slice(to)}`;
}
