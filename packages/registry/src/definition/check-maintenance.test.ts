import { expect } from 'chai';
import { checkMaintenance } from './check-maintenance.ts';

const place = { owner: 'swarm', service: 'web' };
const by = { by: 'ann', since: '2026-01-02T03:00:00.000Z' };
const drain = { host: '10.0.1.5', ...by };
const check = (more: object) => checkMaintenance({ version: 1, ...place, ...more }, place);

describe('a maintenance document', () => {
  const good: readonly (readonly [string, object])[] = [
    ['of nothing', {}],
    ['of a service', { maintenance: by }],
    ['with an end', { maintenance: { ...by, until: '2026-01-02T04:00:00Z' } }],
    ['with a page of lines', { maintenance: { ...by, page: '<p>\r\n\tx', message: 'Back at ten – ü' } }],
    ['with exceptions', { maintenance: { ...by, except: ['10.0.0.0/8', 'fd00::/8'], retryAfterMs: 1_000 } }],
    [
      'of endpoints',
      {
        drains: [
          { ...drain, port: 80, taskId: 't1' },
          { ...drain, host: 'fd00::5' },
        ],
      },
    ],
    ['of what ended', { ended: [{ ...by, endedAt: by.since, endedBy: 'bob' }] }],
  ];
  for (const [what, more] of good)
    it(`${what} reads back as it is`, () => {
      expect(check(more)).to.deep.equal({ ok: true, document: { version: 1, ...place, ...more } });
    });

  const bad: readonly (readonly [string, object, string])[] = [
    ['another version', { version: 2 }, 'version'],
    ['another owner', { owner: 'manual' }, 'the document is of manual/web'],
    ['no author', { maintenance: { since: by.since } }, 'maintenance.by'],
    ['an end that is no time', { maintenance: { ...by, until: 'tomorrow' } }, 'maintenance.until'],
    ['a message of control characters', { maintenance: { ...by, message: 'a\u001b[2J' } }, 'maintenance.message'],
    ['a message of two lines', { maintenance: { ...by, message: 'a\nb' } }, 'maintenance.message'],
    ['a page with NUL', { maintenance: { ...by, page: 'a\0' } }, 'maintenance.page'],
    [
      'a page of 64 KiB and one byte',
      { maintenance: { ...by, page: `${'ü'.repeat(32 * 1024)}x` } },
      'maintenance.page',
    ],
    ['a message of 2,001 characters', { maintenance: { ...by, message: 'x'.repeat(2_001) } }, 'maintenance.message'],
    ['an exception that is no network', { maintenance: { ...by, except: ['everyone'] } }, 'maintenance.except.0'],
    ['no exception', { maintenance: { ...by, except: [] } }, 'maintenance.except'],
    ['101 exceptions', { maintenance: { ...by, except: Array(101).fill('10.0.0.1/32') } }, 'maintenance.except'],
    ['half a second', { maintenance: { ...by, retryAfterMs: 500 } }, 'maintenance.retryAfterMs'],
    ['a host that is none', { drains: [{ ...drain, host: 'a b' }] }, 'drains.0.host'],
    ['port 0', { drains: [{ ...drain, port: 0 }] }, 'drains.0.port'],
    ['201 drains', { drains: Array(201).fill(drain) }, 'drains'],
    ['eleven that ended', { ended: Array(11).fill({ ...by, endedAt: by.since, endedBy: 'b' }) }, 'ended'],
  ];
  for (const [what, more, named] of bad)
    it(`with ${what} is refused, and ${named} is named`, () => {
      const checked = check(more);
      if (checked.ok) throw new Error('it is taken');
      const [problem] = checked.problems;
      expect(problem?.reason).to.equal('maintenance-invalid');
      expect(problem?.message).to.include(named).and.include('maintenance document');
    });

  it('loses unknown fields', () => {
    expect(check({ later: true, maintenance: { ...by, later: 1 } })).to.deep.equal({
      ok: true,
      document: { version: 1, ...place, maintenance: by },
    });
  });
});
