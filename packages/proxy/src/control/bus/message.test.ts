import { expect } from 'chai';
import type { Hint } from './cluster-bus.ts';
import { mostMessageBytes, readMessage, writeMessage } from './message.ts';

const hints: readonly Hint[] = [
  { kind: 'sequence', registryId: 'r1', sequence: 7 },
  { kind: 'ejected', endpointId: 'task-1' },
  { kind: 'traffic', requestsPerSecond: 12.5, inFlight: 3 },
];

describe('a message on the bus', () => {
  for (const hint of hints)
    it(`carries a hint of kind ${hint.kind}`, () => {
      expect(readMessage(writeMessage('s1', 'node-1-8080', hint))).to.deep.include({
        sender: 's1',
        replica: 'node-1-8080',
        hint,
      });
    });

  const [hint] = hints;
  const good = { version: 1, sender: 's', replica: 'a', hint };
  const garbage: readonly (readonly [string, string])[] = [
    ['no JSON', '{'],
    ['nothing', ''],
    ['null', 'null'],
    ['another version', JSON.stringify({ ...good, version: 2 })],
    ['an unknown kind', JSON.stringify({ ...good, hint: { kind: 'stop' } })],
    ['a sequence that is no number', JSON.stringify({ ...good, hint: { ...hint, sequence: '9' } })],
    ['a sequence below zero', JSON.stringify({ ...good, hint: { ...hint, sequence: -1 } })],
    ['a count below zero', JSON.stringify({ ...good, hint: { kind: 'traffic', requestsPerSecond: 1, inFlight: -1 } })],
    [
      'a sequence that no number holds',
      '{"version":1,"sender":"s","replica":"a","hint":{"kind":"sequence","registryId":"r","sequence":1e999}}',
    ],
    ['a name that would write on a terminal', JSON.stringify({ ...good, replica: 'a\u001b[2J' })],
    ['more bytes than any of ours', JSON.stringify({ ...good, more: 'x'.repeat(mostMessageBytes) })],
    ['deep nesting', '['.repeat(mostMessageBytes)],
  ];
  for (const [what, text] of garbage)
    it(`is not ${what}`, () => {
      expect(readMessage(text)).to.equal(undefined);
    });
});
