import { expect } from 'chai';
import { type OpenConnection, OpenConnections } from './open-connections.ts';

describe('open connections', () => {
  const connection = (port: number, log: string[], fails = false): OpenConnection => ({
    key: 'swarm/web',
    endpoint: { id: `t:${port}`, host: '10.0.1.5', port },
    clientAddress: '192.0.2.7',
    sides: {
      onDeadline() {
        if (fails) throw new Error('a fault');
        log.push(`ended ${port}`);
      },
      onFault: (error) => log.push(String(error)),
    },
  });

  it('are ended where they must be, and not after they were taken out', () => {
    const log: string[] = [];
    const open = new OpenConnections();
    const [, second] = [80, 81, 82].map((port) => open.add(connection(port, log)));
    second?.();
    expect(open.endWhere(({ endpoint }) => endpoint.port > 80)).to.equal(1);
    expect(log).to.deep.equal(['ended 82']);
    expect(open.size).to.equal(2);
  });

  it('cost only themselves where ending one fails', () => {
    const log: string[] = [];
    const open = new OpenConnections();
    open.add(connection(80, log, true));
    open.add(connection(81, log));
    open.endWhere(() => true);
    expect(log).to.deep.equal(['Error: a fault', 'ended 81']);
  });
});
