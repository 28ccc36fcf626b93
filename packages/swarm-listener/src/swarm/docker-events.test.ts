import { expect } from 'chai';
import { eventFilters, linesOf, parseEventLine } from './docker-events.ts';

const labels = { 'com.docker.swarm.service.id': 's1', 'com.docker.swarm.task.id': 't1' };
const line = (Type: string, Action: string, ID: string, Attributes: Record<string, string> = {}) =>
  JSON.stringify({
    Type,
    Action,
    Actor: { ID, Attributes },
    scope: 'swarm',
    time: 1,
  });

describe("Docker's events", () => {
  const cases = [
    [
      'a label change',
      line('service', 'update', 's1', { name: 'life' }),
      { kind: 'service', action: 'update', serviceId: 's1' },
    ],
    ['a removal', line('service', 'remove', 's1'), { kind: 'service', action: 'remove', serviceId: 's1' }],
    ['a drained node', line('node', 'update', 'n1'), { kind: 'node', action: 'update', nodeId: 'n1' }],
    [
      'a container that is being stopped',
      line('container', 'kill', 'c1', { ...labels, signal: '15' }),
      { kind: 'task-terminating', serviceId: 's1', taskId: 't1' },
    ],
    [
      'a container that ended',
      line('container', 'die', 'c1', labels),
      { kind: 'task-terminating', serviceId: 's1', taskId: 't1' },
    ],
    [
      'a failed health check',
      line('container', 'health_status: unhealthy', 'c1', labels),
      { kind: 'task-terminating', serviceId: 's1', taskId: 't1' },
    ],
    ['a good health check', line('container', 'health_status: healthy', 'c1', labels), undefined],
    ['a signal that does not end a process', line('container', 'kill', 'c1', { ...labels, signal: '1' }), undefined],
    ['a container that is no task', line('container', 'die', 'c1'), undefined],
    ['a network', line('network', 'connect', 'x'), undefined],
    ['half a line', '{"Type":"serv', undefined],
    ['something else', '[]', undefined],
  ] as const;
  it('subscribes to every type and action that it parses, and to nothing else', () => {
    const { type, event } = eventFilters();
    expect(type).to.deep.equal(['service', 'node', 'container']);
    expect(event).to.deep.equal(['create', 'update', 'remove', 'kill', 'die', 'health_status']);
    for (const [what, text, expected] of cases) {
      if (expected === undefined) continue;
      const { Type, Action } = JSON.parse(text) as { readonly Type: string; readonly Action: string };
      expect(type, what).to.include(Type);
      // Docker matches `health_status: unhealthy` by what stands before the colon.
      expect(event, what).to.include(Action.split(':')[0]);
    }
  });

  for (const [what, text, expected] of cases) {
    it(`${expected === undefined ? 'ignore' : 'understand'} ${what}`, () => {
      expect(parseEventLine(text)).to.deep.equal(expected);
    });
  }

  it('are joined where a chunk ends in the middle of a character', async () => {
    const bytes = new TextEncoder().encode('{"name":"café"}\n\n{"b":2}\n{"c":3}');
    const chunks = [bytes.slice(0, 13), bytes.slice(13, 20), bytes.slice(20)];
    const lines: string[] = [];
    for await (const text of linesOf(toAsync(chunks))) lines.push(text);
    expect(lines).to.deep.equal(['{"name":"café"}', '{"b":2}', '{"c":3}']);
  });
});

async function* toAsync<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
