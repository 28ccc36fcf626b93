import { ok, type Value } from './value.ts';

const pathMatchers = ['path_beg', 'path', 'path_end', 'path_reg', 'path_sub', 'path_dir'] as const;
const sniMatchers = { str: 'sni', beg: 'sni_beg', end: 'sni_end', reg: 'sni_reg' } as const;

/** HAProxy's matcher and its flags: `path_reg -i` is `{ matcher: 'path_reg', ignoreCase: true }`. */
export interface PathType {
  readonly matcher: (typeof pathMatchers)[number] | (typeof sniMatchers)[keyof typeof sniMatchers];
  readonly ignoreCase: boolean;
}

/** HAProxy's fetch with its flags: `path_reg -i`; in sni mode `req_ssl_sni -i -m reg`. */
export const pathType: Value<PathType> = {
  parse: (raw) => {
    const [fetch = '', ...flags] = raw.trim().split(/\s+/);
    const ignoreCase = flags.includes('-i');
    const rest = flags.filter((flag) => flag !== '-i');
    const pathMatcher = pathMatchers.find((each) => each === fetch);
    if (pathMatcher !== undefined && rest.length === 0) return ok({ matcher: pathMatcher, ignoreCase });
    if (/^req(_ssl_sni|\.ssl_sni)$/.test(fetch)) {
      const method = rest.length === 0 ? 'str' : rest[0] === '-m' && rest.length === 2 ? rest[1] : undefined;
      const matcher = Object.entries(sniMatchers).find(([name]) => name === method)?.[1];
      if (matcher !== undefined) return ok({ matcher, ignoreCase });
    }
    return {
      ok: false,
      reason: 'label-value-refused',
      expected: `one of ${pathMatchers.join(', ')}, each with -i or not; in sni mode req_ssl_sni with -m str, beg, end or reg`,
      suggestion: 'use path_beg for prefixes or path_reg for everything else',
    };
  },
  schema: (zod) =>
    zod.object({
      matcher: zod.enum([...pathMatchers, ...Object.values(sniMatchers)]),
      ignoreCase: zod.boolean(),
    }),
};
