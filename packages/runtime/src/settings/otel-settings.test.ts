import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Logger } from '../logger.ts';
import { findOtelSettingsWithoutEffect, warnOfOtelSettingsWithoutEffect } from './otel-settings.ts';
import { openSettings, readSettings } from './read-settings.ts';

const secretsDir = '/nonexistent';
const read = (env: Readonly<Record<string, string>>) => readSettings('proxy', { env, secretsDir });
const refusal = (env: Readonly<Record<string, string>>, read = readSettings): string => {
  try {
    read('proxy', { env: { DATA_DIR: tmpdir(), ...env }, secretsDir });
    return '';
  } catch (error) {
    return String(error);
  }
};

// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ and …/protocol/exporter/, every name.
const general = [
  'OTEL_SDK_DISABLED OTEL_RESOURCE_ATTRIBUTES OTEL_SERVICE_NAME OTEL_LOG_LEVEL OTEL_PROPAGATORS OTEL_TRACES_SAMPLER',
  'OTEL_TRACES_SAMPLER_ARG OTEL_TRACES_EXPORTER OTEL_METRICS_EXPORTER OTEL_LOGS_EXPORTER OTEL_CONFIG_FILE',
  'OTEL_EXPERIMENTAL_CONFIG_FILE OTEL_ENTITIES OTEL_SEMCONV_STABILITY_OPT_IN',
  'OTEL_BSP_SCHEDULE_DELAY OTEL_BSP_EXPORT_TIMEOUT OTEL_BSP_MAX_QUEUE_SIZE OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
  'OTEL_BLRP_SCHEDULE_DELAY OTEL_BLRP_EXPORT_TIMEOUT OTEL_BLRP_MAX_QUEUE_SIZE OTEL_BLRP_MAX_EXPORT_BATCH_SIZE',
  'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT OTEL_ATTRIBUTE_COUNT_LIMIT OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT',
  'OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT OTEL_SPAN_EVENT_COUNT_LIMIT OTEL_SPAN_LINK_COUNT_LIMIT',
  'OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT OTEL_LINK_ATTRIBUTE_COUNT_LIMIT',
  'OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT',
  'OTEL_EXPORTER_ZIPKIN_ENDPOINT OTEL_EXPORTER_ZIPKIN_TIMEOUT OTEL_EXPORTER_PROMETHEUS_HOST OTEL_EXPORTER_PROMETHEUS_PORT',
  'OTEL_METRICS_EXEMPLAR_FILTER OTEL_METRIC_EXPORT_INTERVAL OTEL_METRIC_EXPORT_TIMEOUT OTEL_EXPORTER_OTLP_SPAN_INSECURE',
].flatMap((line) => line.split(' '));
const ofSignals = 'ENDPOINT INSECURE CERTIFICATE CLIENT_KEY CLIENT_CERTIFICATE HEADERS COMPRESSION TIMEOUT PROTOCOL';
const otlp = ['', 'TRACES_', 'METRICS_', 'LOGS_'].flatMap((signal) =>
  ofSignals.split(' ').map((name) => `OTEL_EXPORTER_OTLP_${signal}${name}`),
);

const withEffect = [
  ...'SDK_DISABLED RESOURCE_ATTRIBUTES SERVICE_NAME TRACES_SAMPLER TRACES_SAMPLER_ARG TRACES_EXPORTER'.split(' '),
  ...'BSP_SCHEDULE_DELAY BSP_MAX_QUEUE_SIZE BSP_MAX_EXPORT_BATCH_SIZE'.split(' '),
  ...['', 'TRACES_'].flatMap((signal) =>
    'ENDPOINT CERTIFICATE CLIENT_KEY CLIENT_CERTIFICATE HEADERS COMPRESSION TIMEOUT PROTOCOL'
      .split(' ')
      .map((name) => `EXPORTER_OTLP_${signal}${name}`),
  ),
].map((name) => `OTEL_${name}`);

describe('settings of OpenTelemetry', () => {
  for (const name of [...general, ...otlp])
    it(`${name} ${withEffect.includes(name) ? 'has an effect' : 'is named at the start'}`, () => {
      const found = findOtelSettingsWithoutEffect({ env: { [name]: 'x' }, secretsDir });
      expect(found.map((each) => each.name)).to.deep.equal(withEffect.includes(name) ? [] : [name]);
    });

  const ofSignal: readonly (readonly [string, keyof ReturnType<typeof read>, [string, unknown], [string, unknown]])[] =
    [
      ['HEADERS', 'otlpHeaders', ['a=1', { a: '1' }], ['b=2', { b: '2' }]],
      ['COMPRESSION', 'otlpCompression', ['gzip', 'gzip'], ['none', 'none']],
      ['CERTIFICATE', 'otlpCertificate', ['/a.pem', '/a.pem'], ['/b.pem', '/b.pem']],
      ['CLIENT_CERTIFICATE', 'otlpClientCertificate', ['/a.pem', '/a.pem'], ['/b.pem', '/b.pem']],
      ['CLIENT_KEY', 'otlpClientKey', ['/a.pem', '/a.pem'], ['/b.pem', '/b.pem']],
      ['TIMEOUT', 'otlpTimeoutMs', ['1000', 1_000], ['2000', 2_000]],
      ['PROTOCOL', 'otlpProtocol', ['http/json', 'http/json'], ['http/json', 'http/json']],
    ];
  for (const [name, setting, [general, its], [own, ownValue]] of ofSignal)
    it(`${name} of traces goes before that of all signals`, () => {
      const env = { [`OTEL_EXPORTER_OTLP_${name}`]: general };
      expect(read(env)[setting]).to.deep.equal(its);
      expect(read({ ...env, [`OTEL_EXPORTER_OTLP_TRACES_${name}`]: own })[setting]).to.deep.equal(ownValue);
    });

  for (const [value, disabled] of [
    ['true', true],
    ['TRUE', true],
    ['1', false],
    ['yes', false],
    ['false', false],
  ] as const)
    it(`OTEL_SDK_DISABLED=${value} is ${disabled}`, () =>
      expect(read({ OTEL_SDK_DISABLED: value }).otelDisabled).to.equal(disabled));

  for (const [name, value] of [
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'http/protobuf'],
    ['OTEL_EXPORTER_OTLP_COMPRESSION', 'zstd'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a b=1'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=%00'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=%E2%82%AC'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://a%zz:b@collector:4318'],
    ['OTEL_TRACES_EXPORTER', 'zipkin'],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '10s'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '0'],
  ] as const)
    it(`${name}=${value} is refused`, () => {
      expect(refusal({ [name]: value })).to.include(`${name}=`);
    });

  it('that are refused are never shown where they may hold a secret', () => {
    expect(refusal({ OTEL_EXPORTER_OTLP_HEADERS: 'hunter2' }))
      .to.include('(secret)')
      .and.not.include('hunter2');
  });

  it('of a client certificate need each other, and files that exist', () => {
    const folder = mkdtempSync(join(tmpdir(), 'otel-settings-'));
    try {
      const pem = join(folder, 'some.pem');
      writeFileSync(pem, '-----BEGIN CERTIFICATE-----');
      const [certificate, key] = ['OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE', 'OTEL_EXPORTER_OTLP_CLIENT_KEY'];
      expect(refusal({ [certificate]: pem }, openSettings)).to.include(`expected ${key} to be set`);
      expect(refusal({ [key]: pem }, openSettings)).to.include(`expected ${certificate} to be set`);
      expect(refusal({ [certificate]: pem, [key]: pem }, openSettings)).to.equal('');
      for (const name of [certificate, key, 'OTEL_EXPORTER_OTLP_CERTIFICATE'])
        expect(refusal({ [name]: join(folder, 'missing.pem') }, openSettings)).to.include('expected a PEM file');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  for (const [value, isNamed] of [
    ['tracecontext,baggage', false],
    ['baggage, tracecontext', false],
    ['tracecontext', true],
    ['tracecontext,baggage,b3', true],
    ['none', true],
  ] as const)
    it(`OTEL_PROPAGATORS=${value} is ${isNamed ? 'named at the start' : 'what is done'}`, () =>
      expect(findOtelSettingsWithoutEffect({ env: { OTEL_PROPAGATORS: value }, secretsDir })).to.have.length(
        isNamed ? 1 : 0,
      ));

  it('without effect are logged one by one, with what has it, and never with their value', () => {
    const lines: string[] = [];
    const logger = { warn: (fields: object) => lines.push(JSON.stringify(fields)) } as unknown as Logger;
    const env = {
      OTEL_EXPORTER_ZIPKIN_ENDPOINT: 'http://hunter2@zipkin',
      OTEL_LOG_LEVEL: 'info',
      OTEL_EXPORTER_OTLP_HEADERS_FILE: '/run/secrets/x',
      OTEL_BSP_EXPORT_TIMEOUT: '',
    };
    warnOfOtelSettingsWithoutEffect({ env, secretsDir }, logger);
    expect(lines).to.have.length(2);
    expect(lines.join()).to.include('"setting":"OTEL_LOG_LEVEL"').and.include('set LOG_LEVEL');
    expect(lines.join()).not.to.include('hunter2');
  });
});
