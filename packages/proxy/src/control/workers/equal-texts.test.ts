import { deserialize, serialize } from 'node:v8';
import type { ServiceKey } from '@swarmgate/registry';
import { garbageCollector } from '@swarmgate/runtime';
import { expect } from 'chai';
import type { ServedService } from '../../model/served-service.ts';
import { shareEqualTexts } from './equal-texts.ts';

type Changes = ReadonlyMap<ServiceKey, ServedService | undefined>;

const repeated = 'a text that every document has '.repeat(8);
/** Each with it once beside its fields, once in a part, and once in a list. */
const documents = Array.from({ length: 500 }, (_, at) => [
  `swarm/${at}`,
  { by: repeated, of: { at, list: [repeated] } },
]);

/** As the channel between two processes makes them: with their own copy of each text. */
const received = () => deserialize(serialize(new Map([...documents, ['swarm/gone', undefined]] as never))) as Changes;

describe('texts of services that a worker receives', () => {
  it('are what they were, at any depth, with services that are gone', () => {
    const changes = received();
    shareEqualTexts(changes);
    expect(changes).to.deep.equal(received());
  });

  it('take the memory of one where many are equal, in fields, parts and lists', () => {
    const collect = garbageCollector();
    if (collect === undefined) throw new Error('no collector');
    const heapBytes = () => {
      collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
      return process.memoryUsage().heapUsed;
    };
    const changes = received();
    const before = heapBytes();
    shareEqualTexts(changes);
    const freed = before - heapBytes();
    expect(changes.size).to.equal(501);
    // Of 1,000 copies. A rest is what the test itself leaves behind.
    expect(freed).to.be.greaterThan(900 * repeated.length);
  });
});
