import { Writable } from 'node:stream';
import { createLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { endpointAt, testContext, tinyRoute } from '../../test/test-context.ts';
import { withAttemptLog } from './attempt-log.ts';

describe('the log of attempts', () => {
  const logInto = (level: string) => {
    let text = '';
    const destination = new Writable({
      write(bytes, _encoding, done) {
        text += String(bytes);
        done();
      },
    });
    const lines = () =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line): Record<string, unknown> => JSON.parse(line))
        .map(({ time: _time, level: _level, ...rest }) => rest);
    return { logger: createLogger({ level, destination }), lines };
  };
  const [one, other] = [endpointAt(8_001), endpointAt(8_002)];
  const route = tinyRoute();

  it('names the picked endpoint, the retry with the endpoints tried before, each outcome, and why none is left', () => {
    const { logger, lines } = logInto('debug');
    const context = testContext({ endpoints: [one, other] });
    const logged = withAttemptLog(context, logger);
    logged.pick(route, {});
    logged.finished(one, 'refused');
    logged.pick(route, { except: new Set([one.id]) });
    logged.finished(other, 'responded');
    logged.pick(route, { except: new Set([one.id, other.id]) });
    expect(lines()).to.deep.equal([
      { route: route.id, endpoint: one.id, hasOthers: true, msg: 'endpoint picked' },
      { endpoint: one.id, outcome: 'refused', msg: 'attempt ended' },
      { route: route.id, endpoint: other.id, hasOthers: false, tried: [one.id], msg: 'endpoint picked for a retry' },
      { endpoint: other.id, outcome: 'responded', msg: 'attempt ended' },
      { route: route.id, reason: 'no-endpoint', tried: [one.id, other.id], msg: 'no endpoint to pick' },
    ]);
    expect(context.outcomes).to.deep.equal(['refused', 'responded']);
  });

  it('costs nothing at other levels: the context is the same object', () => {
    const context = testContext({ endpoints: [one] });
    for (const level of ['info', 'warn', 'silent'])
      expect(withAttemptLog(context, logInto(level).logger)).to.equal(context);
  });
});
