import { forwardAuthPresets, isFixedRequestHeader, type UseOf } from '@swarmgate/labels';
import { foldedName } from '../../model/header-list.ts';
import type { Route } from '../../model/route.ts';
import { compileExpression } from '../../routing/expressions.ts';
import { type ServiceAddress, serviceRoute } from '../calls/service-route.ts';

/** `forwardAuth` of one route with its preset and defaults. */
export interface AuthSettings {
  readonly address: ServiceAddress;
  readonly target: string;
  /** Headers of a 2xx that go to the endpoint, and are taken from the client's request before. */
  readonly copied: readonly string[];
  /** Further ones, by their names. */
  readonly isCopied: ((name: string) => boolean) | undefined;
  /** Folded names of the client's headers that the auth service gets. `undefined`: all. */
  readonly sent: ReadonlySet<string> | undefined;
  readonly passesCookie: ((name: string) => boolean) | undefined;
  readonly handThrough: readonly string[];
  readonly signIn: string | undefined;
  readonly userHeader: string | undefined;
  readonly timeoutMs: number;
  readonly mostResponseBytes: number;
  readonly keepsMethod: boolean;
  readonly keepsLocation: boolean;
}

/** Options that are set win over the preset's. */
export function authSettings(use: UseOf<'forwardAuth'>, of: Route): AuthSettings {
  const preset = use.preset === undefined ? undefined : forwardAuthPresets[use.preset];
  const address = serviceRoute(use.address, of);
  const path = preset !== undefined && address.path === '/' ? preset.path : address.path;
  const cookies = use.responseCookies ?? (preset === undefined ? [] : ['*']);
  const expression =
    use.responseHeadersRegex === undefined ? undefined : compileExpression(use.responseHeadersRegex, true);
  return {
    address,
    target: path + address.query,
    // Checked where labels are read, and again here: this is where it would do harm.
    copied: (use.responseHeaders ?? preset?.responseHeaders ?? []).filter((name) => !isFixed(name)),
    isCopied: expression === undefined ? undefined : (name) => !isFixed(name) && expression.matcher(name).find(),
    sent: use.requestHeaders === undefined ? undefined : new Set(use.requestHeaders.map(foldedName)),
    passesCookie:
      cookies.length === 0 ? undefined : cookies.includes('*') ? () => true : (name) => cookies.includes(name),
    handThrough: use.handThrough ?? preset?.handThrough ?? [],
    signIn: use.signIn ?? preset?.signIn,
    userHeader: use.userHeader ?? preset?.userHeader,
    timeoutMs: use.timeoutMs ?? 10_000,
    mostResponseBytes: use.mostResponseBytes ?? 1_048_576,
    keepsMethod: use.preserveRequestMethod === true,
    keepsLocation: use.preserveLocationHeader === true,
  };
}

function isFixed(name: string): boolean {
  return isFixedRequestHeader(name) || name.toLowerCase() === 'host';
}
