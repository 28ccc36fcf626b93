import { expect } from 'chai';
import { type ReadOutcome, ResponseReader } from './response-reader.ts';

function reading() {
  let interim = 0;
  const reader = new ResponseReader();
  const begin = () =>
    reader.begin('GET', {
      wantsPayload: true,
      onInterim: () => {
        interim += 1;
      },
      onHead: () => false,
      onBody: () => false,
      onUpgrade: () => undefined,
    });
  begin();
  const read = (text: string): ReadOutcome => {
    const bytes = Buffer.from(text, 'latin1');
    return reader.read(bytes, bytes.length);
  };
  return { begin, read, interim: () => interim };
}

const hint = `HTTP/1.1 103 Early Hints\r\nX: ${'y'.repeat(1_000)}\r\n\r\n`;
const response = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('ResponseReader', () => {
  it('passes interim responses on, many in one piece and one in many', () => {
    const { read, interim } = reading();
    expect(read(hint.repeat(3) + hint.slice(0, 500))).to.equal('more');
    expect(read(hint.slice(500))).to.equal('more');
    expect(interim()).to.equal(4);
    expect(read(response)).to.equal('complete');
  });

  it('ends a response that is preceded by interim ones without end, which no client would have to read', () => {
    const { read, interim } = reading();
    let outcome: ReadOutcome = 'more';
    for (let sent = 0; sent < 1_000 && outcome === 'more'; sent++) outcome = read(hint);
    expect(outcome).to.deep.equal({ cause: 'too-many-interim-responses' });
    expect(interim()).to.be.lessThan(70);
  });

  it('takes a head of 65,536 bytes and 250 fields, and no larger one', () => {
    const headOf = (bytes: number) => {
      const start = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: ';
      return `${start}${'y'.repeat(bytes - start.length - 4)}\r\n\r\nok`;
    };
    const fields = (count: number) => `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${'X: y\r\n'.repeat(count - 1)}\r\nok`;
    expect(reading().read(headOf(65_536))).to.equal('complete');
    expect(reading().read(headOf(65_537))).to.have.property('cause', 'head-too-large');
    expect(reading().read(fields(250))).to.equal('complete');
    expect(reading().read(fields(251))).to.have.property('cause', 'too-many-fields');
  });

  it('counts them per response', () => {
    const { begin, read } = reading();
    for (let exchange = 0; exchange < 5; exchange++) {
      expect(read(hint.repeat(40) + response)).to.equal('complete');
      begin();
    }
  });
});
