import { SwarmgateError } from '@swarmgate/runtime';

export type AcmeErrorCode =
  /** No response: connection, TLS or timeout. Try again later; the name is not at fault. */
  | 'acme-unreachable'
  /** The CA responded 5xx, with something that is no ACME, or refused every nonce. Try again later. */
  | 'acme-unavailable'
  /** The CA refused the request. `problem` has the reason. */
  | 'acme-refused';

/** A problem document (RFC 8555, section 6.7), its type without `urn:ietf:params:acme:error:`. */
export interface AcmeProblem {
  /** `rateLimited`, `caa`, `dns`, `connection`, …; another URI stays as it is. */
  readonly type: string;
  readonly detail: string;
  readonly status?: number;
  readonly subproblems: readonly AcmeSubproblem[];
}

/** Part of a problem that concerns one identifier (RFC 8555, section 6.7.1). */
export interface AcmeSubproblem {
  readonly type: string;
  readonly detail: string;
  /** DNS name or address; absent where the CA names none. */
  readonly name?: string;
}

const errorPrefix = 'urn:ietf:params:acme:error:';

/** What went wrong between this client and a CA. `retryAfterMs` is the CA's own retry time, counted from now. */
export class AcmeError extends SwarmgateError {
  declare readonly code: AcmeErrorCode;
  readonly problem: AcmeProblem | undefined;
  readonly retryAfterMs: number | undefined;

  private constructor(
    code: AcmeErrorCode,
    message: string,
    parts: { readonly problem?: AcmeProblem; readonly retryAfterMs?: number | undefined; readonly cause?: unknown },
  ) {
    super(code, message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.problem = parts.problem;
    this.retryAfterMs = parts.retryAfterMs;
  }

  static unreachable(what: string, cause: unknown): AcmeError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new AcmeError('acme-unreachable', `${what}: ${reason}`, { cause });
  }

  static unavailable(what: string, retryAfterMs?: number): AcmeError {
    return new AcmeError('acme-unavailable', what, { retryAfterMs });
  }

  static refused(what: string, problem: AcmeProblem, retryAfterMs?: number): AcmeError {
    const { type, detail, status } = problem;
    const code = status !== undefined && status >= 500 ? 'acme-unavailable' : 'acme-refused';
    return new AcmeError(code, `${what}: ${type}: ${detail}`, { problem, retryAfterMs });
  }
}

/** Reads a problem document; `undefined` for anything else. Texts are cut at 1,000 characters: they go into logs. */
export function problemOf(json: unknown): AcmeProblem | undefined {
  if (!isRecord(json) || typeof json.type !== 'string') return undefined;
  const given = Array.isArray(json.subproblems) ? json.subproblems.slice(0, 100) : [];
  const subproblems = given.filter(isRecord).map((each): AcmeSubproblem => {
    const name = isRecord(each.identifier) ? each.identifier.value : undefined;
    return {
      type: shortType(each.type),
      detail: text(each.detail),
      ...(typeof name === 'string' ? { name: name.toLowerCase() } : {}),
    };
  });
  return {
    type: shortType(json.type),
    detail: text(json.detail),
    ...(typeof json.status === 'number' ? { status: json.status } : {}),
    subproblems,
  };
}

function shortType(type: unknown): string {
  return text(type).replace(errorPrefix, '');
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 1_000) : '';
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
