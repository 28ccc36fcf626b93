import { expect } from 'chai';
import { ReplicaReport, type ReplicaReportOptions } from './replica-report.ts';

type Reported = Parameters<ReplicaReportOptions['presence']['report']>[0];

describe('what a replica reports of itself', () => {
  function reporting(registryId: string, isOpen: boolean) {
    const reported: Reported[] = [];
    const report = new ReplicaReport({
      presence: { report: (status) => void reported.push(status) },
      server: { table: () => ({ size: 3 }) } as unknown as ReplicaReportOptions['server'],
      served: () => ({ registryId, sequence: registryId === '' ? 0 : 7, rejected: new Map() }),
      isOpen: () => isOpen,
    });
    return { report, reported };
  }
  const reportedWith = (registryId: string, isOpen: boolean) => {
    const { report, reported } = reporting(registryId, isOpen);
    report.update();
    return reported.map((each) => [each.registryId, each.sequence]);
  };

  it('is what it serves, once clients are let in', () => {
    expect(reportedWith('r', false)).to.deep.equal([['r', 0]]);
    expect(reportedWith('r', true)).to.deep.equal([['r', 7]]);
  });

  it('is there beside an empty registry, too, so that the first change waits for this replica', () => {
    expect(reportedWith('', false)).to.deep.equal([]);
    expect(reportedWith('', true)).to.deep.equal([['', 0]]);
  });
});
