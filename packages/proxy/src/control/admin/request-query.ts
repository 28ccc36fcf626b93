import { isUtf8 } from 'node:buffer';
import { SwarmgateError } from '@swarmgate/runtime';
import type { Request } from 'express';

/** A malformed call: 400, with a message for the client. */
export class BadRequestError extends SwarmgateError {
  readonly status = 400;
}

/**
 * The query, every value of each name. Escaped bytes that are no UTF-8 are refused: what would be stored instead is not
 * what was meant. (Bytes that are not escaped do not get here: node takes none in a URL.)
 * @throws BadRequestError `query-not-utf8`
 */
export function searchParametersOf({ originalUrl }: Pick<Request, 'originalUrl'>): URLSearchParams {
  const start = originalUrl.indexOf('?');
  const query = start === -1 ? '' : originalUrl.slice(start + 1);
  for (const [escapes] of query.matchAll(/(?:%[0-9a-f]{2})+/gi)) {
    if (isUtf8(Buffer.from(escapes.replaceAll('%', ''), 'hex'))) continue;
    throw new BadRequestError('query-not-utf8', `the query holds ${escapes.slice(0, 30)}, which is no UTF-8`);
  }
  return new URLSearchParams(query);
}

/**
 * The query with one value per name. Docker Flow takes the first of several values; here they are an error.
 * @throws BadRequestError `query-not-utf8`, `parameter-repeated`
 */
export function queryOf(request: Pick<Request, 'originalUrl'>): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of searchParametersOf(request)) {
    const before = found.get(name);
    if (before !== undefined && before !== value)
      throw new BadRequestError('parameter-repeated', `${name} is given twice, with different values: give it once`);
    found.set(name, value);
  }
  return found;
}

/** One of several words. @throws BadRequestError `parameter-invalid` */
export function choiceOf<const T extends string>(
  query: ReadonlyMap<string, string>,
  name: string,
  allowed: readonly T[],
  byDefault: T,
): T {
  const given = query.get(name) ?? byDefault;
  const found = allowed.find((each) => each === given);
  if (found !== undefined) return found;
  throw new BadRequestError('parameter-invalid', `${name} is not one of ${allowed.join(', ')}`);
}
