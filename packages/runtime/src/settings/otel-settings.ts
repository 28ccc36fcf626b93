import type { Logger } from '../logger.ts';
import { settingsCatalogue } from './catalogue.ts';
import { isGiven, type SettingsSource } from './read-settings.ts';

/** Variables of OpenTelemetry that are set and have no effect here. */
export interface OtelSettingWithoutEffect {
  readonly name: string;
  readonly suggestion: string;
}

const known = new Set<string>(Object.values(settingsCatalogue).flatMap(({ env }): readonly string[] => env));

const elsewhere: readonly (readonly [pattern: RegExp, suggestion: string])[] = [
  [/^OTEL_BSP_EXPORT_TIMEOUT$/, 'set OTEL_EXPORTER_OTLP_TIMEOUT'],
  [/^OTEL_EXPORTER_OTLP_(?:TRACES_|SPAN_)?INSECURE$/, 'the scheme of OTEL_EXPORTER_OTLP_ENDPOINT decides on TLS'],
  [/^OTEL_LOG_LEVEL$/, 'set LOG_LEVEL'],
  [
    /^OTEL_(?:SPAN_|EVENT_|LINK_)?ATTRIBUTE_|^OTEL_SPAN_(?:EVENT|LINK)_COUNT_LIMIT$/,
    'a span has at most 20 attributes, no events and no links, and its values are no longer than a request head may be',
  ],
  [/^OTEL_(?:METRICS?_|EXPORTER_OTLP_METRICS_|EXPORTER_PROMETHEUS_)/, 'metrics are read from /metrics at ADMIN_PORT'],
  [/^OTEL_(?:LOGS_|LOGRECORD_|BLRP_|EXPORTER_OTLP_LOGS_)/, 'logs go to the standard output: LOG_LEVEL, ACCESS_LOG'],
  [/^OTEL_EXPORTER_(?:ZIPKIN|JAEGER)_/, 'traces go by OTLP: set OTEL_EXPORTER_OTLP_ENDPOINT'],
  [/^OTEL_(?:EXPERIMENTAL_)?CONFIG_FILE$/, 'no file is read; docs/environment.md lists the settings'],
];

const propagators = new Set(['tracecontext', 'baggage']);

/** By the environment, with `<NAME>_FILE` of those that the specification has (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/). */
export function findOtelSettingsWithoutEffect(source: SettingsSource): readonly OtelSettingWithoutEffect[] {
  return Object.keys(source.env)
    .filter((name) => name.startsWith('OTEL_'))
    .map((name) => (known.has(name.replace(/_FILE$/, '')) ? name.replace(/_FILE$/, '') : name))
    .filter((name) => !known.has(name) && isGiven(name, source))
    .sort()
    .flatMap((name): readonly OtelSettingWithoutEffect[] => {
      const suggestion =
        name === 'OTEL_PROPAGATORS'
          ? otherPropagators(source.env[name] ?? '')
          : (elsewhere.find(([pattern]) => pattern.test(name))?.[1] ??
            'it is not known here; docs/environment.md lists the settings');
      return suggestion === undefined ? [] : [{ name, suggestion }];
    });
}

/** What the proxy does is what the specification has as the default. */
function otherPropagators(value: string): string | undefined {
  const listed = value.split(',').map((each) => each.trim());
  const isUsual = listed.length === propagators.size && listed.every((each) => propagators.has(each));
  return isUsual ? undefined : 'traceparent, tracestate and baggage are passed on, and no other form';
}

/** One warning for each. */
export function warnOfOtelSettingsWithoutEffect(source: SettingsSource, logger: Logger): void {
  for (const { name, suggestion } of findOtelSettingsWithoutEffect(source)) {
    logger.warn(
      { setting: name, reason: 'setting-without-effect', suggestion },
      'a setting of OpenTelemetry has no effect here',
    );
  }
}
