/** Figures as texts: three significant digits at most, so that a column can be compared at a glance. */

export function formatRate(perSecond: number): string {
  if (perSecond === 0) return '0';
  if (perSecond >= 1_000) return `${short(perSecond / 1_000)}k`;
  return short(perSecond);
}

export function formatMs(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–';
  return ms >= 1_000 ? `${short(ms / 1_000)} s` : `${short(ms)} ms`;
}

export function formatPercent(percent: number): string {
  return percent === 0 ? '0 %' : percent < 0.1 ? '< 0.1 %' : `${short(percent)} %`;
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let at = 0;
  let value = bytes;
  for (; value >= 1_000 && at < units.length - 1; at += 1) value /= 1_000;
  return `${short(value)} ${units[at]}`;
}

/** How long something lasts or has lasted, in its two largest units: `3 d 4 h`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ');
}

export function formatTime(iso: string | undefined): string {
  if (iso === undefined) return '–';
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? iso : `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function short(value: number): string {
  if (value >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(value >= 10 ? 3 : 2)));
}
