import { expect } from 'chai';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Route } from '../../model/route.ts';
import type { Upstream } from '../upstreams.ts';
import { Balancer } from './balancer.ts';
import { stickyToken } from './sticky-token.ts';

const endpoint = (id: string, state: Endpoint['state'] = 'active'): Endpoint => ({
  id,
  host: '10.0.0.1',
  port: 80,
  secure: false,
  state,
});
const [a, b, c] = [endpoint('a'), endpoint('b'), endpoint('c')] as const;
const upstreamOf = (...endpoints: Endpoint[]): Upstream => ({ endpoints, inOrder: false, ifNone: 'no-endpoint' });

const destination = { index: 0, since: 0, port: 80 };
const routeWith = (balance?: 'round-robin' | 'least-outstanding', id = 'swarm/web/0'): Route => ({
  id,
  key: 'swarm/web',
  definition: {
    version: 1,
    service: 'web',
    owner: 'swarm',
    source: { kind: 'rest', by: 'test' },
    updatedAt: '',
    destinations: [destination],
    ...(balance === undefined ? {} : { balance }),
  },
  destination,
  upstreamPort: 80,
  upstreamSecure: false,
});
const route = routeWith();

describe('the balancer', () => {
  let nowMs: number;
  let draws: number[];
  let balancer: Balancer;

  beforeEach(() => {
    nowMs = 0;
    draws = [];
    balancer = new Balancer({ now: () => nowMs, random: () => draws.shift() ?? 0 });
  });

  const pickId = (upstream: Upstream, required = {}, of = route) => {
    const picked = balancer.pick(of, upstream, required);
    return picked.kind === 'endpoint' ? picked.endpoint.id : picked.reason;
  };
  const eject = (which: Endpoint) => {
    for (let times = 0; times < 3; times += 1) balancer.finished(which, 'refused');
  };

  it('goes round', () => {
    const picks = Array.from({ length: 6 }, () => pickId(upstreamOf(a, b, c)));
    expect(picks).to.deep.equal(['a', 'b', 'c', 'a', 'b', 'c']);
  });

  it('goes round by weight, spread over the round', () => {
    const weighted = upstreamOf({ ...a, weight: 3 }, { ...b, weight: 1 }, { ...c, weight: 1 });
    const picks = Array.from({ length: 10 }, () => pickId(weighted));
    for (const round of [picks.slice(0, 5), picks.slice(5)])
      expect(round.toSorted()).to.deep.equal(['a', 'a', 'a', 'b', 'c']);
    expect(picks.join('')).to.not.include('aaa');
    eject(a);
    expect([pickId(weighted), pickId(weighted)].toSorted()).to.deep.equal(['b', 'c']);
  });

  it('gives each its part of what is outstanding, by weight', () => {
    const least = routeWith('least-outstanding');
    const weighted = upstreamOf({ ...a, weight: 3 }, { ...b, weight: 1 });
    const picks = Array.from({ length: 8 }, () => pickId(weighted, {}, least));
    expect(picks.filter((id) => id === 'a')).to.have.length(6);
  });

  it('goes round for each route by itself', () => {
    const other = routeWith(undefined, 'swarm/web/1');
    const upstream = upstreamOf(a, b);
    expect([pickId(upstream), pickId(upstream, {}, other), pickId(upstream)]).to.deep.equal(['a', 'a', 'b']);
  });

  it('gives draining endpoints no new requests', () => {
    const upstream = upstreamOf(endpoint('a', 'draining'), b);
    expect([pickId(upstream), pickId(upstream)]).to.deep.equal(['b', 'b']);
    expect(pickId(upstreamOf(endpoint('a', 'draining')))).to.equal('no-endpoint');
  });

  it('leaves out what this request has tried', () => {
    expect(pickId(upstreamOf(a, b), { except: new Set(['a']) })).to.equal('b');
    expect(pickId(upstreamOf(a), { except: new Set(['a']) })).to.equal('no-endpoint');
  });

  it('reports whether another endpoint could be tried instead', () => {
    const others = (upstream: Upstream, except?: ReadonlySet<string>) => {
      const picked = balancer.pick(route, upstream, except === undefined ? {} : { except });
      return picked.kind === 'endpoint' && picked.hasOthers;
    };
    expect(others(upstreamOf(a, b))).to.equal(true);
    expect(others(upstreamOf(a))).to.equal(false);
    expect(others(upstreamOf(a, endpoint('d', 'draining')))).to.equal(false);
    expect(others(upstreamOf(a, b), new Set(['a']))).to.equal(false);
  });

  it('reports why there is none', () => {
    expect(pickId({ endpoints: [], inOrder: false, ifNone: 'stale-endpoint' })).to.equal('stale-endpoint');
  });

  it('leaves out an ejected endpoint, and takes it back slowly', () => {
    const upstream = upstreamOf(a, b);
    eject(a);
    expect([pickId(upstream), pickId(upstream), pickId(upstream)]).to.deep.equal(['b', 'b', 'b']);
    nowMs = 7_000;
    // Half of its share: a draw below it lets it take part.
    draws = [0.6];
    expect(pickId(upstream)).to.equal('b');
    draws = [0.4, 0.4];
    expect([pickId(upstream), pickId(upstream)]).to.include('a');
  });

  it('tries ejected endpoints rather than none', () => {
    eject(a);
    eject(b);
    expect(['a', 'b']).to.include(pickId(upstreamOf(a, b)));
  });

  it('takes backups where no other endpoint can take the request, and no longer', () => {
    const backup = { ...c, backup: true } as const;
    const upstream = upstreamOf(a, backup, b);
    const picks = (required = {}) => new Set(Array.from({ length: 6 }, () => pickId(upstream, required)));
    expect([...picks()].toSorted()).to.deep.equal(['a', 'b']);
    // A session that the backup had goes back.
    expect(picks({ stickTo: stickyToken(backup) }).has('c')).to.equal(false);
    expect([...picks({ except: new Set(['a', 'b']) })]).to.deep.equal(['c']);
    eject(a);
    expect([...picks()]).to.deep.equal(['b']);
    eject(b);
    expect([...picks()]).to.deep.equal(['c']);
    eject(backup);
    expect([...picks()].toSorted()).to.deep.equal(['a', 'b', 'c']);
    nowMs = 3_600_000;
    expect([...picks()].toSorted()).to.deep.equal(['a', 'b']);
  });

  it('keeps an endpoint’s state by its id, through any number of swaps', () => {
    eject(a);
    expect(pickId(upstreamOf(endpoint('a'), endpoint('b')))).to.equal('b');
    expect(balancer.healthOf('a').kind).to.equal('ejected');
  });

  it('keeps a session where it is while it can', () => {
    const upstream = upstreamOf(a, b, c);
    const stickTo = stickyToken(endpoint('b'));
    expect([pickId(upstream, { stickTo }), pickId(upstream, { stickTo })]).to.deep.equal(['b', 'b']);
    expect(pickId(upstream, { stickTo, except: new Set(['b']) })).to.not.equal('b');
    expect(pickId(upstreamOf(a, endpoint('b', 'draining')), { stickTo })).to.equal('a');
    eject(b);
    expect(pickId(upstream, { stickTo })).to.not.equal('b');
    expect(pickId(upstreamOf(a), { stickTo: 'gone' })).to.equal('a');
  });

  it('takes the less busy of two where the label requests it', () => {
    const least = routeWith('least-outstanding');
    const upstream = upstreamOf(a, b);
    const picks = Array.from({ length: 6 }, () => pickId(upstream, {}, least));
    expect(picks.filter((id) => id === 'a')).to.have.length(3);
    balancer.finished(b, 'responded');
    balancer.finished(b, 'responded');
    expect([pickId(upstream, {}, least), pickId(upstream, {}, least)]).to.deep.equal(['b', 'b']);
    expect(pickId(upstreamOf(a), {}, least)).to.equal('a');
  });

  it('counts what is outstanding', () => {
    pickId(upstreamOf(a));
    pickId(upstreamOf(a));
    expect(balancer.outstandingOf('a')).to.equal(2);
    expect(balancer.inFlight).to.equal(2);
    balancer.finished(a, 'abandoned');
    balancer.finished(a, 'responded');
    expect(balancer.outstandingOf('a')).to.equal(0);
    balancer.finished(a, 'responded');
    expect(balancer.inFlight).to.equal(0);
  });

  it('takes a peer-reported ejection as two failures, never as three, and only of its own endpoints', () => {
    pickId(upstreamOf(a, b));
    balancer.finished(a, 'responded');
    for (let reported = 0; reported < 10; reported += 1)
      for (const id of ['a', 'b', 'never-seen']) balancer.peerEjected(id);
    expect(balancer.healthOf('a').kind).to.equal('healthy');
    expect(balancer.inUse()).to.deep.equal([]);
    expect(balancer.healthOf('never-seen')).to.deep.equal({ kind: 'healthy', failures: 0 });
    balancer.finished(a, 'refused');
    expect(balancer.healthOf('a').kind).to.equal('ejected');
  });

  it('takes over the results of another worker’s checks without counting them as its own', () => {
    const reported: string[] = [];
    balancer = new Balancer({ now: () => nowMs, random: () => 0.9, onEjected: ({ id }) => reported.push(id) });
    balancer.applyCheck('a', false);
    expect([pickId(upstreamOf(a, b)), pickId(upstreamOf(a, b))]).to.deep.equal(['b', 'b']);
    nowMs = 3_600_000;
    expect(balancer.healthOf('a').kind).to.equal('failing-checks');
    balancer.applyCheck('a', true);
    expect(balancer.healthOf('a').kind).to.equal('returning');
    balancer.applyCheck('never-met', true);
    expect(balancer.inUse().map(({ id }) => id))
      .to.include('a')
      .and.not.include('never-met');
    expect(reported).to.deep.equal([]);
  });

  it('tries names in their order until they are resolved', () => {
    const upstream: Upstream = { ...upstreamOf(a, b), inOrder: true };
    expect([pickId(upstream), pickId(upstream)]).to.deep.equal(['a', 'a']);
    expect(pickId(upstream, { except: new Set(['a']) })).to.equal('b');
  });

  it('drops the state of endpoints that were not picked for ten minutes', () => {
    pickId(upstreamOf(a));
    balancer.finished(a, 'refused');
    nowMs = 601_000;
    pickId(upstreamOf(b));
    balancer.finished(b, 'responded');
    expect(balancer.healthOf('a')).to.deep.equal({ kind: 'healthy', failures: 0 });
    pickId(upstreamOf(b));
    expect(balancer.outstandingOf('b')).to.equal(1);
  });

  it('applies an ejection of another worker, and shortens none', () => {
    balancer.applyEjection('a', { forMs: 4_000, ejections: 2 });
    balancer.applyEjection('a', { forMs: 2_000, ejections: 1 });
    expect(balancer.healthOf('a')).to.deep.equal({ kind: 'ejected', untilMs: nowMs + 4_000, ejections: 2 });
    balancer.applyEjection('a', { forMs: 8_000, ejections: 3 });
    expect(balancer.healthOf('a')).to.deep.equal({ kind: 'ejected', untilMs: nowMs + 8_000, ejections: 3 });
  });
});
