import { expect } from 'chai';
import { keyLayout, keyPatterns } from './key-layout.ts';

describe('key layout', () => {
  const layout = keyLayout('edge');

  it('puts everything where docs/registry.md says', () => {
    expect(layout.head).to.equal('edge/head');
    expect(layout.documentKey('services', 'swarm/web')).to.equal('edge/services/swarm/web');
    expect(layout.documentKey('endpoints', 'swarm/web')).to.equal('edge/endpoints/swarm/web');
    expect(layout.documentKey('labelProblems', 'swarm/web')).to.equal('edge/problems/labels/swarm/web');
    expect(layout.routeProblemsKey('swarm/web')).to.equal('edge/problems/routes/swarm/web');
    expect(layout.replica('proxy-1')).to.equal('edge/proxies/proxy-1');
    expect(layout.leader('swarm')).to.equal('edge/leader/swarm');
    expect(layout.leaderHeartbeat('swarm')).to.equal('edge/leader-heartbeat/swarm');
    expect(layout.reporter).to.equal('edge/reporter');
    expect(layout.history('swarm/web', 3)).to.equal('edge/history/swarm/web/3');
    expect(layout.history('swarm/web')).to.equal('edge/history/swarm/web/');
  });

  it('names the problems of a foreign key by its hash, whatever stands in it', () => {
    const key = layout.keyProblemsKey('edge/services/ä b/c');
    expect(key).to.match(/^edge\/problems\/keys\/[0-9a-f]{40}$/);
    expect(layout.keyProblemsKey('edge/services/ä b/c')).to.equal(key);
    expect(layout.keyProblemsKey('edge/services/other')).to.not.equal(key);
  });

  const places = [
    ['edge/services/swarm/web', { kind: 'services', service: 'swarm/web', owner: 'swarm', name: 'web' }],
    [
      'edge/endpoints/manual/a.b-c_d',
      { kind: 'endpoints', service: 'manual/a.b-c_d', owner: 'manual', name: 'a.b-c_d' },
    ],
    ['edge/problems/labels/swarm/web', { kind: 'labelProblems', service: 'swarm/web', owner: 'swarm', name: 'web' }],
    ['edge/head', { kind: 'ours' }],
    ['edge/proxies/proxy-1', { kind: 'ours' }],
    ['edge/leader-heartbeat/swarm', { kind: 'ours' }],
    ['edge/reporter', { kind: 'ours' }],
    ['edge/problems/routes/swarm/web', { kind: 'ours' }],
    ['edge/problems/keys/0a', { kind: 'ours' }],
    ['edge/history/swarm/web/1', { kind: 'ours' }],
    ['edge/certs/example.com', { kind: 'ours' }],
    ['edge/services/web', { kind: 'foreign' }],
    ['edge/services/swarm/web/more', { kind: 'foreign' }],
    ['edge/services/swarm/.hidden', { kind: 'foreign' }],
    ['edge/services/', { kind: 'foreign' }],
    ['edge/problems/other', { kind: 'foreign' }],
    ['edge/notes', { kind: 'foreign' }],
    // Another instance that begins with the same letters is none of ours.
    ['edge-two/services/swarm/web', { kind: 'foreign' }],
  ] as const;
  for (const [key, place] of places) {
    it(`places ${key}`, () => expect(layout.place(key)).to.deep.equal(place));
  }

  it('has a pattern for every key that it gives, and takes every pattern for its own', () => {
    const keys = [
      layout.head,
      layout.documentKey('services', 'o/s'),
      layout.documentKey('endpoints', 'o/s'),
      layout.documentKey('labelProblems', 'o/s'),
      layout.routeProblemsKey('o/s'),
      layout.keyProblemsKey('x'),
      layout.replica('r'),
      `${layout.numbers}r`,
      layout.leader('o'),
      layout.leaderHeartbeat('o'),
      layout.reporter,
      layout.reporterHeartbeat,
      layout.reload,
      layout.history('o/s', 1),
    ];
    const matching = (key: string) =>
      keyPatterns.filter((pattern) =>
        new RegExp(`^edge/${pattern.replaceAll(/<\w+>/g, '[^/]+').replace('…', '.+')}$`).test(key),
      );
    for (const key of keys) expect(matching(key), key).to.have.length(1);
    for (const pattern of keyPatterns)
      expect(
        layout.place(`edge/${pattern.replaceAll(/<(\w+)>/g, '$1').replace('…', 'x/y')}`).kind,
        pattern,
      ).to.not.equal('foreign');
  });
});
