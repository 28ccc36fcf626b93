import { Writable } from 'node:stream';
import type { AccessLogChoice } from '@swarmgate/registry';
import { expect } from 'chai';
import { accessRecord } from '../../test/access-record.ts';
import { tinyRoute } from '../../test/test-context.ts';
import { AccessLog, type AccessLogFormat } from './access-log.ts';
import { beginTrace } from './tracing/trace-context.ts';
import { TraceIds } from './tracing/trace-ids.ts';

const report = accessRecord({
  endpoint: { id: 't1:80', host: '10.0.0.1', port: 80, secure: false, state: 'active' },
  path: '/a',
  durationMs: 1.23456,
  upstreamMs: 1,
  sentBytes: 12,
  receivedBytes: 3,
  clientAddress: '9.9.9.9',
});

describe('the access log', () => {
  let written: string;
  let release: (() => void) | undefined;
  let blocked: boolean;
  const sink = () =>
    new Writable({
      highWaterMark: 1,
      write(chunk, _encoding, done) {
        written += String(chunk);
        if (blocked) release = done;
        else done();
      },
    });
  const logTo = (format: AccessLogFormat, mostWaiting = 100) =>
    new AccessLog({ format, write: sink(), mostWaiting, now: () => new Date('2026-01-02T03:04:05Z') });
  const flushed = () => new Promise((resolve) => setImmediate(resolve));

  beforeEach(() => {
    written = '';
    release = undefined;
    blocked = false;
  });

  it('is one JSON object a line', async () => {
    const log = logTo('json');
    log.add(report);
    log.add({ ...report, status: 503, reason: 'no-endpoint' });
    expect(written).to.equal('');
    await flushed();
    const lines = written
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(lines).to.have.length(2);
    expect(lines[0]).to.include({ method: 'GET', status: 200, endpoint: 't1:80', durationMs: 1.23, client: '9.9.9.9' });
    expect(lines[1]).to.include({ reason: 'no-endpoint' });
  });

  it('names the trace of a request, sampled or not, so that log and traces lead to each other', async () => {
    const trace = beginTrace(
      { parent: undefined, traceState: undefined, trusted: false, ratio: 0 },
      { parentBased: true, ratio: 0 },
      new TraceIds(),
    );
    logTo('json').add({ ...report, trace });
    await flushed();
    expect(JSON.parse(written)).to.include({ traceId: trace.traceId, spanId: trace.spanId });
  });

  it('logs by the route’s setting: nothing, one of so many, or everything', async () => {
    let drawn = 0;
    const random = () => (drawn++ % 100) / 100;
    const log = new AccessLog({ format: 'json', write: sink(), random });
    const lines = async (accessLog: AccessLogChoice | undefined) => {
      written = '';
      const route = tinyRoute('web', accessLog === undefined ? {} : { accessLog });
      for (let sent = 0; sent < 200; sent += 1) log.add({ ...report, route });
      await flushed();
      return written.split('\n').length - 1;
    };
    expect(await lines('off')).to.equal(0);
    expect(await lines({ every: 100 })).to.equal(2);
    expect(await lines({ every: 4 })).to.equal(50);
    expect(await lines({ every: 1 })).to.equal(200);
    expect(await lines(undefined)).to.equal(200);
  });

  it('names what was wrong with a head that was refused', async () => {
    const log = logTo('json');
    log.add({ ...report, status: 400, reason: 'bad-host', cause: 'host-missing' });
    await flushed();
    expect(JSON.parse(written)).to.include({ status: 400, cause: 'host-missing' });
  });

  it('drops and counts lines when its reader is slow, and goes on later', async () => {
    blocked = true;
    const log = logTo('json', 3);
    log.add(report);
    await flushed();
    for (let line = 0; line < 5; line += 1) log.add(report);
    expect(log.dropped).to.equal(2);
    blocked = false;
    release?.();
    await flushed();
    await flushed();
    expect(written.trim().split('\n')).to.have.length(4);
  });

  it('drops and counts lines when they are long, before they are many', async () => {
    blocked = true;
    const log = new AccessLog({ format: 'json', write: sink(), mostWaitingLength: 5_000 });
    log.add(report);
    await flushed();
    for (let line = 0; line < 5; line += 1) log.add({ ...report, path: `/${'x'.repeat(3_000)}` });
    expect(log.dropped).to.equal(3);
  });
});
