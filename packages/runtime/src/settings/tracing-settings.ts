import { integer, list, oneOf, type Parsed, text } from './parsers.ts';
import { given, optional, serving } from './setting.ts';

/** Tracing under the names of OpenTelemetry (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/). */
export const tracingSettings = {
  otelDisabled: given({
    env: ['OTEL_SDK_DISABLED'],
    parse: trueOrElse,
    default: 'false',
    usedBy: serving,
    meaning: '`true`: no tracing, whatever else is set; trace headers pass untouched. Any other value is `false`',
  }),
  tracesExporter: given({
    env: ['OTEL_TRACES_EXPORTER'],
    parse: oneOf('otlp', 'none'),
    default: 'otlp',
    usedBy: serving,
    meaning: '`none`: as `OTEL_SDK_DISABLED`',
  }),
  otlpEndpoint: optional({
    env: ['OTEL_EXPORTER_OTLP_ENDPOINT'],
    parse: httpUrl,
    usedBy: serving,
    meaning:
      'Collector that traces are sent to, at `/v1/traces` below it: `http://collector:4318`. Not set: no tracing',
  }),
  otlpTracesEndpoint: optional({
    env: ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'],
    parse: httpUrl,
    usedBy: serving,
    meaning: 'The same as a whole URL, used as it is; goes before `OTEL_EXPORTER_OTLP_ENDPOINT`',
  }),
  otlpHeaders: given({
    env: ['OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'OTEL_EXPORTER_OTLP_HEADERS'],
    parse: headerPairs,
    default: '',
    secret: true,
    usedBy: serving,
    meaning: 'Headers of those calls: `name=value`, by comma, percent-encoded',
  }),
  otlpProtocol: given({
    env: ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'],
    parse: oneOf('http/json'),
    default: 'http/json',
    usedBy: serving,
    meaning: 'Only `http/json`, which every collector takes at its HTTP port',
  }),
  otlpCompression: given({
    env: ['OTEL_EXPORTER_OTLP_TRACES_COMPRESSION', 'OTEL_EXPORTER_OTLP_COMPRESSION'],
    parse: oneOf('none', 'gzip'),
    default: 'none',
    usedBy: serving,
    meaning: '`gzip`: bodies of those calls are compressed, on a thread of their own',
  }),
  otlpCertificate: optional({
    env: ['OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE', 'OTEL_EXPORTER_OTLP_CERTIFICATE'],
    parse: text,
    pathOf: 'pem-file',
    usedBy: serving,
    meaning:
      'File of the authorities that the collector’s certificate is checked with, in PEM. Without it: those of the system. This and the next two are read again after a failed call',
  }),
  otlpClientCertificate: optional({
    env: ['OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE', 'OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE'],
    parse: text,
    pathOf: 'pem-file',
    usedBy: serving,
    meaning: 'File of the certificate, with its chain, that the proxy shows to the collector, in PEM',
  }),
  otlpClientKey: optional({
    env: ['OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY', 'OTEL_EXPORTER_OTLP_CLIENT_KEY'],
    parse: text,
    pathOf: 'pem-file',
    usedBy: serving,
    meaning: 'File of the key of that certificate, in PEM',
  }),
  otlpTimeoutMs: given({
    env: ['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 'OTEL_EXPORTER_OTLP_TIMEOUT'],
    parse: integer(1, 600_000),
    default: '10000',
    usedBy: serving,
    meaning: 'How long one call may take, in milliseconds',
  }),
  tracesSampler: given({
    env: ['OTEL_TRACES_SAMPLER'],
    parse: oneOf(
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ),
    default: 'parentbased_always_on',
    usedBy: serving,
    meaning: 'Which requests are traced; `parentbased_…` follows the decision of a caller among `TRUSTED_PROXIES`',
  }),
  tracesSamplerArg: given({
    env: ['OTEL_TRACES_SAMPLER_ARG'],
    parse: share,
    default: '1',
    usedBy: serving,
    meaning: 'Share of requests that `…traceidratio` traces, from 0 to 1; the label `traceSample` goes before it',
  }),
  tracesSlowMs: given({
    env: ['TRACES_SLOW_MS'],
    parse: integer(0, 3_600_000),
    default: '1000',
    usedBy: serving,
    meaning:
      'Requests that take as long are traced in any case, as those that end in 5xx are, in milliseconds. `0`: no others',
  }),
  otelServiceName: optional({
    env: ['OTEL_SERVICE_NAME'],
    parse: text,
    usedBy: serving,
    meaning: 'Name of the proxy in traces. Without it: `service.name` of `OTEL_RESOURCE_ATTRIBUTES`, else `swarmgate`',
  }),
  otelResourceAttributes: given({
    env: ['OTEL_RESOURCE_ATTRIBUTES'],
    parse: pairs,
    default: '',
    usedBy: serving,
    meaning: 'More attributes of the proxy in traces: `key=value`, by comma, percent-encoded',
  }),
  mostQueuedSpans: given({
    env: ['OTEL_BSP_MAX_QUEUE_SIZE'],
    parse: integer(1, 1_000_000),
    default: '2048',
    usedBy: serving,
    meaning: 'Spans of one worker that wait for the collector; more are dropped and counted',
  }),
  mostSpansPerBatch: given({
    env: ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'],
    parse: integer(1, 100_000),
    default: '512',
    usedBy: serving,
    meaning: 'Spans in one call, roughly; never more than `OTEL_BSP_MAX_QUEUE_SIZE`',
  }),
  spanScheduleMs: given({
    env: ['OTEL_BSP_SCHEDULE_DELAY'],
    parse: integer(1, 600_000),
    default: '5000',
    usedBy: serving,
    meaning: 'Time between two calls where few spans come, in milliseconds',
  }),
} as const;

function httpUrl(raw: string): Parsed<string> {
  const url = URL.parse(raw);
  return url !== null &&
    ['http:', 'https:'].includes(url.protocol) &&
    url.hostname !== '' &&
    !/%(?![0-9A-Fa-f]{2})/.test(url.username + url.password)
    ? { ok: true, value: raw }
    : { ok: false, expected: 'an http or https URL such as http://collector:4318' };
}

/** As the specification has booleans: `true` in any case of letters, everything else is false. */
function trueOrElse(raw: string): Parsed<boolean> {
  return { ok: true, value: raw.toLowerCase() === 'true' };
}

/** As `pairs`, whose keys are names of header fields. */
function headerPairs(raw: string): Parsed<Readonly<Record<string, string>>> {
  const parsed = pairs(raw);
  if (!parsed.ok) return parsed;
  const isSendable = ([name, value]: readonly [string, string]) =>
    /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
  return Object.entries(parsed.value).every(isSendable)
    ? parsed
    : { ok: false, expected: 'header fields such as Authorization=Bearer%20abc, by comma' };
}

/** `key=value` by comma; values are percent-encoded, as W3C Baggage has them. */
function pairs(raw: string): Parsed<Readonly<Record<string, string>>> {
  const expected = { ok: false, expected: 'key=value pairs by comma, such as a=1,b=two%20words' } as const;
  const found: Record<string, string> = {};
  const parts = list(raw);
  for (const part of parts.ok ? parts.value : []) {
    const at = part.indexOf('=');
    const key = part.slice(0, at).trim();
    if (at < 1 || !/^[\x21-\x7e]+$/.test(key)) return expected;
    try {
      const value = decodeURIComponent(part.slice(at + 1).trim());
      if (/[\r\n\0]/.test(value)) return expected;
      found[key] = value;
    } catch {
      return expected;
    }
  }
  return { ok: true, value: found };
}

function share(raw: string): Parsed<number> {
  return /^(?:0|1|0?\.\d+|[01]\.\d+)$/.test(raw) && Number(raw) <= 1
    ? { ok: true, value: Number(raw) }
    : { ok: false, expected: 'a number from 0 to 1' };
}
