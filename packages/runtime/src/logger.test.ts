import { Writable } from 'node:stream';
import { expect } from 'chai';
import { createLogger } from './logger.ts';

describe('the log', () => {
  it('writes one JSON object a line and never a secret', () => {
    const lines: string[] = [];
    const destination = new Writable({
      write: (chunk, _encoding, done) => {
        lines.push(String(chunk));
        done();
      },
    });
    const logger = createLogger({ destination });
    logger.info({ password: 'hunter2', user: { token: 'abc' }, service: 'shop' }, 'seen');
    const record = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    expect(record).to.deep.include({ level: 'info', msg: 'seen', service: 'shop', password: '[redacted]' });
    expect(lines[0]).not.to.match(/hunter2|abc/);
  });
});
