import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { flatFields } from '../message-head.ts';
import { DecodedFields, HpackDecoder } from './decoder.ts';
import { HpackEncoder } from './encoder.ts';

const seed = 20_261_128;

describe('HPACK: fuzz with a fixed seed', () => {
  const name = fc.constantFrom(
    'server',
    'date',
    'x-a',
    'x-b',
    'x-long-name-of-a-field',
    'set-cookie',
    'Vary',
    'accept-encoding',
  );
  const value = fc.oneof(
    fc.constantFrom('', 'nginx', 'gzip, deflate', 'a', 'b'),
    fc.string({ maxLength: 60, unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)) }),
    fc.constantFrom('\xe4\xff', 'v'.repeat(3_000)),
  );
  const head = fc.array(fc.tuple(name, value), { maxLength: 8 }).map((fields) => fields.flat());
  const step = fc.oneof(
    { weight: 8, arbitrary: head },
    // The very array of a head before: such heads are not compared field by field.
    { weight: 8, arbitrary: fc.record({ again: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.constantFrom(0, 50, 200, 4_096, 9_000) },
  );

  it('decodes whatever it encodes, through every change of the limit', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const encoder = new HpackEncoder();
        const decoder = new HpackDecoder();
        const sent: (readonly string[])[] = [];
        for (const given of steps) {
          if (typeof given === 'number') {
            encoder.limitTable(given);
            decoder.limitTable(given);
            continue;
          }
          const one = 'again' in given ? (sent.at(-1 - given.again) ?? []) : given;
          sent.push(one);
          const target = Buffer.alloc(encoder.prepare(one, 'head'));
          const end = encoder.write(target, encoder.writeSizeUpdate(target, 0));
          expect(end).to.be.at.most(target.length);
          const fields = new DecodedFields();
          fields.begin(1 << 20);
          expect(decoder.decode(target, 0, end, fields)).to.equal(true);
          expect(flatFields(fields.list)).to.deep.equal(
            one.map((text, at) => (at % 2 === 0 ? text.toLowerCase() : text)),
          );
        }
      }),
      fuzzRuns(1_500, seed),
    );
  });

  it('survives random blocks with a bounded table', () => {
    const byte = fc.oneof(fc.nat(255), fc.constantFrom(0x40, 0x82, 0xbe, 0xbf, 0x20, 0x3f, 0x00, 0x01, 0x81));
    fc.assert(
      fc.property(fc.array(fc.array(byte, { maxLength: 60 }), { maxLength: 10 }), (blocks) => {
        const decoder = new HpackDecoder();
        for (const each of blocks) {
          const bytes = Buffer.from(each);
          const fields = new DecodedFields();
          fields.begin(500);
          const isRight = decoder.decode(bytes, 0, bytes.length, fields);
          expect(decoder.tableBytes).to.be.within(0, 4_096);
          expect(decoder.entryCount).to.be.at.most(128);
          expect(fields.list.reduce((sum, field) => sum + field.bytes, 0)).to.be.at.most(500);
          if (!isRight) return;
        }
      }),
      fuzzRuns(5_000, seed),
    );
  });
});
