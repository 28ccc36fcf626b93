import type { AccessRecord } from '../access-record.ts';
import { routeTemplateOf } from './route-template.ts';
import { attemptIdOf, type RequestTrace } from './trace-context.ts';

/** An exchange whose spans are exported. */
export interface TracedExchange {
  readonly record: AccessRecord;
  readonly trace: RequestTrace;
  /** When it ended, in milliseconds since the epoch. */
  readonly endedAtMs: number;
}

export interface SpanOptions {
  /** Send `url.query`. Default no: it may hold secrets of the service. */
  readonly withQuery?: boolean;
  /** `PUBLISHED_PORTS`: `server.port` is the port that clients use. Default: that of the entrypoint. */
  readonly publishedPorts?: ReadonlyMap<number, number>;
}

/** How many spans an exchange has: itself, and each attempt at an endpoint. */
export function spanCountOf({ endpoint, failedAttempts }: AccessRecord): number {
  return 1 + (failedAttempts?.length ?? 0) + (endpoint === undefined ? 0 : 1);
}

/**
 * The spans of one exchange as OTLP's JSON, comma-separated: the exchange as a server span, every attempt as a client span,
 * by the stable conventions for HTTP (https://opentelemetry.io/docs/specs/semconv/http/http-spans/). Text is put together as
 * it is: objects and their serialization cost four times as much.
 */
export function spansOf({ record, trace, endedAtMs }: TracedExchange, options: SpanOptions): string {
  const startedAtMs = endedAtMs - record.durationMs;
  const spans = [serverSpan(record, trace, startedAtMs, endedAtMs, options)];
  for (const [at, failed] of (record.failedAttempts ?? []).entries()) {
    const { endpoint, afterMs, durationMs, failure } = failed;
    const beganAtMs = startedAtMs + afterMs;
    const attributes = clientAttributes(record, endpoint.host, endpoint.port, endpoint.secure, at);
    const more = [...attributes, text('error.type', failure)];
    spans.push(
      span(
        trace,
        attemptIdOf(trace, at),
        trace.spanId,
        nameOf(record),
        3,
        beganAtMs,
        beganAtMs + durationMs,
        more,
        true,
      ),
    );
  }
  const { endpoint } = record;
  if (endpoint !== undefined) {
    const attributes = clientAttributes(record, endpoint.host, endpoint.port, endpoint.secure, record.retries);
    // Without a head from the endpoint the status is the proxy's own.
    const responded = record.upstreamMs !== undefined;
    const isItsStatus = responded && (record.reason === undefined || record.reason === 'answer-truncated');
    if (isItsStatus) attributes.push(integer('http.response.status_code', record.status));
    const failed = record.reason !== undefined || record.status >= 400;
    if (failed) attributes.push(text('error.type', record.reason ?? String(record.status)));
    const beganAtMs = startedAtMs + record.attemptAfterMs;
    const id = attemptIdOf(trace, record.retries);
    spans.push(span(trace, id, trace.spanId, nameOf(record), 3, beganAtMs, endedAtMs, attributes, failed));
  }
  return spans.join(',');
}

/** What is around the spans of an export. */
export interface Envelope {
  readonly before: Buffer;
  readonly after: Buffer;
}

/** @param resource attributes of this proxy: see `resourceOf`. @param scopeVersion of the software */
export function envelopeOf(resource: string, scopeVersion: string): Envelope {
  const scope = `{"name":"swarmgate","version":${JSON.stringify(scopeVersion)}}`;
  return {
    before: Buffer.from(
      `{"resourceSpans":[{"resource":{"attributes":[${resource}]},"scopeSpans":[{"scope":${scope},"spans":[`,
    ),
    after: Buffer.from(']}]}]}'),
  };
}

export function resourceOf(attributes: Readonly<Record<string, string>>): string {
  return Object.entries(attributes)
    .map(([key, value]) => text(quoted(key).slice(1, -1), value))
    .join(',');
}

function serverSpan(
  record: AccessRecord,
  trace: RequestTrace,
  startedAtMs: number,
  endedAtMs: number,
  { withQuery = false, publishedPorts }: SpanOptions,
): string {
  const { status, reason, route } = record;
  const attributes = [
    ...methodOf(record.method),
    text('url.path', record.path),
    text('url.scheme', record.secure ? 'https' : 'http'),
    text('server.address', record.host),
    integer('server.port', publishedPorts?.get(record.entryPort) ?? record.entryPort),
    text('client.address', record.clientAddress),
    text('network.protocol.version', protocolVersions[record.protocol]),
  ];
  // 499 is the log's word for a client that left: no response had that status.
  if (reason !== 'client-gone') attributes.push(integer('http.response.status_code', status));
  if (withQuery && record.query.length > 1) attributes.push(text('url.query', record.query.slice(1)));
  if (route !== undefined) {
    attributes.push(text('http.route', routeTemplateOf(route, record.path)), text('swarmgate.service', route.key));
    attributes.push(text('swarmgate.route', route.id));
  }
  const failed = status >= 500 || reason === 'answer-truncated';
  if (reason !== undefined) attributes.push(text('error.type', reason));
  else if (failed) attributes.push(text('error.type', String(status)));
  return span(trace, trace.spanId, trace.parentId, nameOf(record), 2, startedAtMs, endedAtMs, attributes, failed);
}

function clientAttributes(
  record: AccessRecord,
  host: string,
  port: number,
  secure: boolean,
  resends: number,
): string[] {
  const address = host.includes(':') ? `[${host}]` : host;
  return [
    ...methodOf(record.method),
    text('server.address', host),
    integer('server.port', port),
    text('url.full', `${secure ? 'https' : 'http'}://${address}:${port}${record.path}`),
    ...(resends > 0 ? [integer('http.request.resend_count', resends)] : []),
  ];
}

const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY']);

/** Others would make a span name of every method that a client sends. */
function methodOf(method: string): readonly string[] {
  if (knownMethods.has(method)) return [text('http.request.method', method)];
  return [text('http.request.method', '_OTHER'), text('http.request.method_original', method)];
}

const protocolVersions: Readonly<Record<AccessRecord['protocol'], string>> = {
  'HTTP/1.0': '1.0',
  'HTTP/1.1': '1.1',
  'HTTP/2': '2',
};

function nameOf(record: AccessRecord): string {
  const method = knownMethods.has(record.method) ? record.method : 'HTTP';
  return record.route === undefined ? method : `${method} ${routeTemplateOf(record.route, record.path)}`;
}

function span(
  trace: RequestTrace,
  spanId: string,
  parentId: string,
  name: string,
  kind: 2 | 3,
  startedAtMs: number,
  endedAtMs: number,
  attributes: readonly string[],
  failed: boolean,
): string {
  const parent = parentId === '' ? '' : `"parentSpanId":"${parentId}",`;
  const state = trace.traceState === '' ? '' : `"traceState":${quoted(trace.traceState)},`;
  return (
    `{"traceId":"${trace.traceId}","spanId":"${spanId}",${parent}${state}"name":${quoted(name)},"kind":${kind},` +
    `"startTimeUnixNano":"${nanoseconds(startedAtMs)}","endTimeUnixNano":"${nanoseconds(endedAtMs)}",` +
    `"attributes":[${attributes.join(',')}],"status":{${failed ? '"code":2' : ''}}}`
  );
}

/** Microseconds fit into a number exactly, nanoseconds do not. */
export function nanoseconds(ms: number): string {
  return `${Math.round(ms * 1_000)}000`;
}

/** @param key needs no escaping: those of the conventions, and of `resourceOf` once escaped */
function text(key: string, value: string): string {
  return `{"key":"${key}","value":{"stringValue":${quoted(value)}}}`;
}

/** OTLP's JSON has 64-bit numbers as text. */
function integer(key: string, value: number): string {
  return `{"key":"${key}","value":{"intValue":"${value}"}}`;
}

// Nearly every value is printable ASCII without quote and backslash, which JSON has as it is.
const plainText = /^[ !#-[\]-~]*$/;

/** A value as it stands between the quotes of JSON. */
export function jsonText(value: string): string {
  return plainText.test(value) ? value : JSON.stringify(value).slice(1, -1);
}

function quoted(value: string): string {
  return plainText.test(value) ? `"${value}"` : JSON.stringify(value);
}
