import { formatDuration } from './format.ts';

const soonMs = 14 * 86_400_000;

/** How long a certificate is still valid: by sign and words, not by colour alone. */
export function describeLeft(leftMs: number): {
  readonly kind: 'ok' | 'warning' | 'down';
  readonly mark: string;
  readonly text: string;
} {
  if (leftMs < 0) return { kind: 'down', mark: '✕', text: 'over' };
  const text = formatDuration(leftMs);
  return leftMs < soonMs ? { kind: 'warning', mark: '▲', text: `${text}, soon over` } : { kind: 'ok', mark: '●', text };
}
