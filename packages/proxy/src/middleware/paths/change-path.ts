import type { Exchange } from '../../model/exchange.ts';
import { normalizePath } from '../../routing/normal-path.ts';
import { proceed, refuse } from '../local-responses.ts';
import type { Decision } from '../middleware.ts';

/** Of a path after a change: `MAX_HEAD_BYTES`. */
export interface PathLimits {
  readonly mostBytes: number;
}

/**
 * Gives the exchange another path, brought into normal form, so that no change makes a path that no rule saw. What the client
 * requested stays in `rewrittenFrom`, however many changes there are.
 */
export function changePath(exchange: Exchange, to: string, { mostBytes }: PathLimits): Decision {
  const path = to.startsWith('/') ? to : `/${to}`;
  if (path === exchange.path) return proceed;
  if (path.length > mostBytes) return refuse('rewritten-path-too-long');
  const normal = normalizePath(path);
  if (!normal.ok) return refuse('rewritten-path-invalid');
  exchange.rewrittenFrom ??= exchange.path;
  exchange.path = normal.path;
  return proceed;
}
