import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { createLogger } from './logger.ts';
import { createRepeatingLogger } from './repeating-logger.ts';

describe('a logger of what repeats', () => {
  function logging(level: string) {
    const destination = new PassThrough({ encoding: 'utf8' });
    let text = '';
    destination.on('data', (part: string) => {
      text += part;
    });
    let nowMs = 0;
    let due: (() => void) | undefined;
    const logger = createRepeatingLogger(createLogger({ level, destination }), {
      nowMs: () => nowMs,
      schedule: (act) => {
        due = act;
        return () => undefined;
      },
    });
    const lines = () => text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
    const afterSecond = () => {
      nowMs += 1_000;
      due?.();
    };
    return { logger, lines, afterSecond };
  }

  it('writes one line a second for each service, reason and endpoint, and how many it left out', () => {
    const { logger, lines, afterSecond } = logging('info');
    for (let at = 0; at < 300; at += 1) {
      logger.warn({ service: 'swarm/shop', reason: 'no-endpoint', path: `/${at}` }, 'an endpoint failed');
      logger.warn({ service: 'swarm/blog', reason: 'no-endpoint' }, 'an endpoint failed');
    }
    logger.warn({ service: 'swarm/shop', reason: 'connect-timeout', endpoint: 'a' }, 'an endpoint failed');
    logger.warn({ service: 'swarm/shop', reason: 'connect-timeout', endpoint: 'b' }, 'an endpoint failed');
    expect(lines()).to.have.length(4);
    afterSecond();
    expect(lines()).to.have.length(6);
    expect(lines().slice(4)).to.satisfy((rest: readonly { repeated: number }[]) =>
      rest.every(({ repeated }) => repeated === 298),
    );
  });

  it('writes each of them at level debug', () => {
    const { logger, lines } = logging('debug');
    for (let at = 0; at < 10; at += 1) logger.error({ err: new Error('no') }, 'a connection failed');
    expect(lines()).to.have.length(10);
  });

  it('takes lines without fields, leaves other levels alone, and counts what is pending at its end', () => {
    const { logger, lines } = logging('info');
    for (let at = 0; at < 3; at += 1) {
      logger.warn('the disk is slow');
      logger.info({ at }, 'a change was served');
    }
    logger.stop();
    expect(lines().map(({ msg }) => msg)).to.deep.equal([
      'the disk is slow',
      ...Array.from({ length: 3 }, () => 'a change was served'),
      'the disk is slow',
    ]);
    expect(lines().at(-1)).to.include({ repeated: 1 });
  });

  it('escapes control characters in every value', () => {
    const { logger, lines } = logging('info');
    const hostile = 'a\nb\u001b[2J\u0085\u2028\u202e';
    logger.warn({ service: hostile, list: [hostile], [hostile]: 1 }, hostile);
    expect(lines()).to.have.length(1);
    expect(lines()[0]).to.include({ service: hostile, msg: hostile });
  });
});
