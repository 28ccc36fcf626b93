import { boolean, integer, oneOf } from '../values/plain.ts';
import { middlewareKind, optional, required } from './middleware-kind.ts';
import {
  circuitExpression,
  duration,
  headerText,
  listOf,
  serviceUrl,
  size,
  statusRange,
  targetText,
} from './option-values.ts';

/** Middleware between the service and its client: what becomes of failures, and of bodies. */

export const retry = middlewareKind({
  kind: 'retry',
  positional: 'attempts',
  meaning:
    'Attempts that a request may make at endpoints, where repeating it is safe: no byte of a response has come, and the method may be sent twice or nothing of the request has left.',
  example: '4',
  options: {
    attempts: required(integer(1, 10), { meaning: 'Attempts in all.' }),
    initialIntervalMs: optional(duration(0, 60_000), {
      name: 'initialInterval',
      meaning: 'Ignored: the next attempt goes to another endpoint at once.',
    }),
  },
});

export const circuitBreaker = middlewareKind({
  kind: 'circuitBreaker',
  positional: 'expression',
  meaning:
    'Responds with 503 `circuit-open` for a while where the expression holds for the responses of the last 10 s: `NetworkErrorRatio()`, `ResponseCodeRatio(from, to, dividedByFrom, dividedByTo)` and `LatencyAtQuantileMS(quantile)`, compared by `<`, `<=`, `>`, `>=`, `==`, `!=`, joined by `&&`, `||`, `!`.',
  example: '"NetworkErrorRatio() > 0.30"',
  options: {
    expression: required(circuitExpression, { meaning: 'When it opens.' }),
    checkPeriodMs: optional(duration(10, 3_600_000), {
      name: 'checkPeriod',
      meaning: 'How often the expression is evaluated.',
      default: '100ms',
    }),
    fallbackDurationMs: optional(duration(10, 3_600_000), {
      name: 'fallbackDuration',
      meaning: 'How long it stays open.',
      default: '10s',
    }),
    recoveryDurationMs: optional(duration(10, 3_600_000), {
      name: 'recoveryDuration',
      meaning: 'Over how long a growing share of the requests passes again.',
      default: '10s',
    }),
    responseCode: optional(integer(400, 599), { meaning: 'Status while it is open.', default: '503' }),
  },
});

export const errors = middlewareKind({
  kind: 'errors',
  meaning: 'Replaces responses of these statuses by a page of another service. The status stays.',
  example: 'status=500-599,address=http://pages:8080,query=/{status}.html',
  options: {
    status: required(listOf(statusRange), { meaning: 'Statuses, such as `404` or `500-599`.' }),
    address: required(serviceUrl, { meaning: 'URL of the service of the pages.' }),
    query: optional(targetText, {
      meaning: 'Path of the page; `{status}` is the status, `{url}` what was requested, percent-encoded.',
      default: '/',
    }),
  },
});

export const buffering = middlewareKind({
  kind: 'buffering',
  meaning:
    'Limits the body of a request: a larger one gets 413 `request-too-large`, or `body-too-large` where its length was not announced. Bodies are streamed, not kept.',
  example: 'maxRequestBody=10MB',
  restricts: 'body-limits',
  options: {
    mostRequestBytes: optional(size(0, 1_099_511_627_776), {
      name: 'maxRequestBody',
      meaning: 'Body of a request; `0`: no limit.',
      default: '0',
    }),
  },
});

export const compress = middlewareKind({
  kind: 'compress',
  meaning: 'Compresses responses by what the client accepts. For a whole service see `compressionAlgo`.',
  example: 'algorithms=br gzip',
  insteadOfLabel: 'compressionAlgo',
  options: {
    algorithms: optional(listOf(oneOf('gzip', 'deflate', 'br', 'zstd')), {
      meaning: 'The preferred one first.',
      default: 'gzip br zstd',
    }),
    types: optional(listOf(headerText), { meaning: 'Media types.', default: 'the usual texts' }),
    excludedTypes: optional(listOf(headerText), { meaning: 'Media types that are not compressed.' }),
    leastBytes: optional(size(0, 1_073_741_824), {
      name: 'minResponseBody',
      meaning: 'Bodies known to be smaller are not compressed.',
      default: '1024',
    }),
  },
});

export const contentType = middlewareKind({
  kind: 'contentType',
  meaning: 'Accepted: the proxy never guesses a `Content-Type`.',
  example: 'autoDetect=false',
  options: { autoDetect: optional(boolean, { meaning: 'Ignored.', default: 'false' }) },
});
