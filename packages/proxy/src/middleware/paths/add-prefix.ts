import type { UseOf } from '@swarmgate/labels';
import type { Middleware } from '../middleware.ts';
import { changePath, type PathLimits } from './change-path.ts';

/** `addPrefix`. */
export function addPrefix({ prefix }: UseOf<'addPrefix'>, limits: PathLimits): Middleware {
  return {
    name: 'addPrefix',
    onRequest: (exchange) => changePath(exchange, prefix.replace(/\/+$/, '') + exchange.path, limits),
  };
}
