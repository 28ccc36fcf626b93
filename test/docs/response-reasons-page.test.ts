import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { type LocalResponseReason, localResponses } from '../../packages/proxy/src/exchange/local-responses.ts';
import { middlewareResponses } from '../../packages/proxy/src/middleware/local-responses.ts';
import { pathErrors } from '../../packages/proxy/src/routing/normal-path.ts';

/** Status of every response that the proxy makes; absent where the route's definition gives it. */
const made = new Map<string, number | undefined>([
  ...pathErrors.map((reason) => [reason, 400] as const),
  ...[...Object.entries(localResponses), ...Object.entries(middlewareResponses)]
    // A path that is refused says which of `pathErrors` it is.
    .filter(([reason]) => reason !== 'bad-path')
    .map(([reason, { status }]) => [reason, status] as const),
  ['acme-challenge', 200],
  ['https-required', undefined],
  ['max-forwards', undefined],
  ['redirected', undefined],
  // The auth service’s own status.
  ['auth-denied', undefined],
  ['auth-sign-in', 302],
  ['cors-preflight', 200],
  // The status of the response that a page replaces.
  ['error-page', undefined],
  ['error-page-unavailable', undefined],
]);

describe('the reasons in docs/forwarding.md', () => {
  const page = readFileSync(new URL('../../docs/forwarding.md', import.meta.url), 'utf8');
  const section = page.slice(page.indexOf('## Responses of the proxy itself'));
  const documented = [...section.matchAll(/^\| ([\d, ]+) \| `([a-z-]+)` \|/gm)].map(
    ([, statuses, reason]) => [reason as string, statuses as string] as const,
  );

  it('are those that the proxy sends, each once and with its status', () => {
    expect(documented.map(([reason]) => reason).sort()).to.deep.equal([...made.keys()].sort());
    for (const [reason, statuses] of documented)
      if (made.get(reason) !== undefined) expect(statuses, reason).to.equal(String(made.get(reason)));
  });

  it('name the responses with Retry-After', () => {
    for (const [line, , reason] of section.matchAll(/^\| ([\d, ]+) \| `([a-z-]+)` \|.*$/gm))
      if (reason !== undefined && reason in localResponses)
        expect(line.includes('Retry-After'), reason).to.equal(
          'retryAfter' in localResponses[reason as LocalResponseReason],
        );
  });

  it('stand in order of their status', () => {
    const statuses = documented.map(([, each]) => Number.parseInt(each, 10));
    expect(statuses).to.deep.equal([...statuses].sort((one, other) => one - other));
  });
});
