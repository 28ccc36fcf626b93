import { expect } from 'chai';
import { decodeResponse, encodeName, encodeQuery, encodeUpdate, recordTypes, signMessage } from './dns-message.ts';

const key = { name: 'key.example.com', algorithm: 'hmac-sha256' as const, secret: Buffer.from('secret') };

describe('DNS messages', () => {
  it('write names in lower case, label by label', () => {
    expect(encodeName('A.bc.').toString('latin1')).to.equal('\x01a\x02bc\x00');
    expect(encodeName('').toString('latin1')).to.equal('\x00');
    for (const wrong of ['a..b', `${'x'.repeat(64)}.com`]) expect(() => encodeName(wrong)).to.throw(RangeError);
  });

  it('read a response with compressed names, and which records it holds', () => {
    const query = encodeQuery(7, 'a.example.com', recordTypes.SOA);
    const record = Buffer.from([0xc0, 12 + 2, 0, 6, 0, 1, 0, 0, 0, 60, 0, 2, 9, 9]);
    const response = Buffer.concat([query, record]);
    response.writeUInt16BE(0x8180, 2);
    response.writeUInt16BE(1, 6);
    const decoded = decodeResponse(response);
    expect(decoded).to.deep.equal({ id: 7, code: 0, records: [{ name: 'example.com', type: 6 }] });
  });

  it('refuse a message that is cut at any place, and one that loops', () => {
    const query = encodeQuery(7, 'a.example.com', recordTypes.SOA);
    const full = Buffer.concat([query, Buffer.from([0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 60, 0, 2, 9, 9])]);
    full.writeUInt16BE(1, 6);
    for (let length = 0; length < full.length; length += 1)
      expect(() => decodeResponse(full.subarray(0, length)), String(length)).to.throw(RangeError);
    const loop = Buffer.concat([query.subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])]);
    expect(() => decodeResponse(loop)).to.throw('loops');
  });

  it('sign an update, and tell a signed response from a forged one', () => {
    const update = encodeUpdate(7, 'example.com', 'add', { name: '_acme-challenge.example.com', value: 'v' });
    const signed = signMessage(update, key, 1_700_000_000);
    expect(signed.message.readUInt16BE(10)).to.equal(1);
    // A response is signed over the request's MAC too, so the request itself is none.
    expect(decodeResponse(signed.message, { key, mac: signed.mac }).signature).to.equal(false);
    expect(decodeResponse(update, { key, mac: signed.mac })).to.not.have.property('signature');
  });
});
