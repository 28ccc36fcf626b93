import { isToken, tokenSchema } from './header-names.ts';
import { not, ok, type Value } from './value.ts';

export interface RateLimit {
  /** Requests per window, at least 1. */
  readonly requests: number;
  readonly windowMs: number;
}

export type RateLimitKey = { readonly kind: 'ip' } | { readonly kind: 'header'; readonly name: string };

const windows = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `100/s`, `20/10s`, `1000/h`. */
export const rateLimit: Value<RateLimit> = {
  parse: (raw) => {
    const match = /^(\d{1,9})\s*\/\s*(\d{0,5})\s*([smhd])$/.exec(raw.trim());
    const requests = Number(match?.[1]);
    const windowMs = Number(match?.[2] || 1) * windows[(match?.[3] ?? 's') as keyof typeof windows];
    if (match === null || requests < 1 || windowMs < 1 || windowMs > windows.d)
      return not('requests per time, such as 100/s, 20/10s or 1000/h, in at most a day');
    return ok({ requests, windowMs });
  },
  schema: (zod) =>
    zod.object({ requests: zod.int().min(1).max(1_000_000_000), windowMs: zod.int().min(1).max(windows.d) }),
};

export const rateLimitKey: Value<RateLimitKey> = {
  parse: (raw) => {
    const trimmed = raw.trim();
    if (trimmed === 'ip') return ok({ kind: 'ip' });
    const name = /^header:(.+)$/.exec(trimmed)?.[1]?.trim();
    return name !== undefined && isToken(name) ? ok({ kind: 'header', name }) : not('ip or header:NAME');
  },
  schema: (zod) =>
    zod.discriminatedUnion('kind', [
      zod.object({ kind: zod.literal('ip') }),
      zod.object({ kind: zod.literal('header'), name: tokenSchema(zod) }),
    ]),
};
