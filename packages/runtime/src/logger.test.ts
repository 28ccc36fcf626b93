import { Writable } from 'node:stream';
import { expect } from 'chai';
import { createLogger } from './logger.ts';

describe('the log', () => {
  let lines: string[];
  const destination = () =>
    new Writable({
      write: (chunk, _encoding, done) => {
        lines.push(String(chunk));
        done();
      },
    });
  const record = () => JSON.parse(lines[0] ?? '') as Record<string, unknown>;

  beforeEach(() => {
    lines = [];
  });

  it('writes one JSON object a line and never a secret', () => {
    const logger = createLogger({ destination: destination() });
    logger.info({ password: 'hunter2', user: { token: 'abc' }, service: 'shop' }, 'seen');
    expect(record()).to.deep.include({ level: 'info', msg: 'seen', service: 'shop', password: '[redacted]' });
    expect(lines[0]).not.to.match(/hunter2|abc/);
  });

  it('writes an error under err with code, stack and cause', () => {
    const error = Object.assign(new Error('no response', { cause: new Error('reset') }), {
      code: 'docker-unreachable',
    });
    createLogger({ destination: destination() }).warn({ err: error }, 'cannot list services');
    expect(record()).to.have.nested.property('err.code', 'docker-unreachable');
    expect(record()).to.have.nested.property('err.message').that.includes('reset');
    expect(record()).to.have.nested.property('err.stack').that.includes('logger.test.ts');
  });

  for (const [what, message, written] of [
    ['once, where the message of the error has it', 'cannot list services: reset', 'cannot list services: reset'],
    ['behind a message that has it not', 'cannot list services', 'cannot list services: reset'],
  ] as const)
    it(`writes the message of a cause ${what}`, () => {
      createLogger({ destination: destination() }).warn(
        { err: new Error(message, { cause: new Error('reset') }) },
        'failed',
      );
      expect(record()).to.have.nested.property('err.message', written);
      expect(record()).to.have.nested.property('err.stack').that.includes('caused by: Error: reset');
    });

  it('writes what is no error under err as it is', () => {
    createLogger({ destination: destination() }).warn({ err: 'thrown text' }, 'failed');
    expect(record()).to.have.property('err', 'thrown text');
  });

  // Every control character and every mark that a terminal or a log viewer acts on.
  const marks = [0x00, 0x08, 0x0a, 0x0d, 0x1b, 0x7f, 0x85, 0x9b, 0x2028, 0x2029, 0x202e, 0x2066, 0x2069];
  for (const code of marks) {
    it(`escapes U+${code.toString(16).padStart(4, '0')} in names, values and texts`, () => {
      const mark = String.fromCharCode(code);
      const value = `a${mark}b`;
      const logger = createLogger({ destination: destination() });
      logger.child({ [value]: value }).info({ [value]: { deep: [value] }, err: new Error(value) }, value);
      expect(lines[0]?.trimEnd()).not.to.include(mark);
      expect(lines[0]?.match(/\n/g)).to.have.length(1);
      expect(record()).to.include({ msg: value });
    });
  }
});
