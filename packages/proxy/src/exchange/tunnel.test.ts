import { expect } from 'chai';
import { DeadlineSweep } from '../transport/deadline-sweep.ts';
import type { EndpointConnection } from '../transport/endpoint-connection.ts';
import type { ClientTunnel } from './client-side.ts';
import { Tunnel } from './tunnel.ts';

const hello = Buffer.from('hello');

/** A tunnel between two sides that write down what is done to them. */
function tunnelBetween({ clogged = false, keepsUp = true } = {}) {
  let nowMs = 0;
  const sweep = new DeadlineSweep(10, () => nowMs);
  const calls: string[] = [];
  const note = (what: string) => () => {
    calls.push(what);
  };
  const client: ClientTunnel = {
    clogged,
    start: note('client starts'),
    write: (bytes, from, to) => {
      calls.push(`client gets ${bytes.toString('latin1', from, to)}`);
      return false;
    },
    end: note('client ended'),
    pause: note('client paused'),
    resume: note('client resumed'),
    close: (abrupt) => calls.push(abrupt ? 'client reset' : 'client closed'),
  };
  const connection = {
    beginTunnel: note('begun'),
    writeTunnel: (bytes: Buffer) => {
      calls.push(`endpoint gets ${bytes.toString('latin1')}`);
      return keepsUp;
    },
    endTunnel: note('endpoint ended'),
    closeTunnel: note('endpoint closed'),
    reset: note('endpoint reset'),
    abandon: note('endpoint abandoned'),
    pause: note('endpoint paused'),
    resume: note('endpoint resumed'),
  } as unknown as EndpointConnection;
  const tunnel = new Tunnel({
    onTunnelOver: note('over'),
    onFault: (error) => calls.push(String(error)),
  });
  tunnel.begin({ client, connection, sweep, idleMs: 100, bytes: hello, from: 1, to: 3 });
  return {
    tunnel,
    sweep,
    /** What has been done since the last look. */
    done: () => calls.splice(0),
    pass: (ms: number) => {
      for (const until = nowMs + ms; nowMs < until; ) {
        nowMs += 10;
        sweep.tick();
      }
    },
  };
}

describe('a tunnel', () => {
  it('begins with what the endpoint sent behind its 101, then reads the client', () => {
    expect(tunnelBetween().done()).to.deep.equal(['begun', 'client gets el', 'client starts']);
  });

  it('stops reading the side whose other side does not keep up', () => {
    const { tunnel, done } = tunnelBetween({ clogged: true, keepsUp: false });
    expect(done()).to.include('endpoint paused');
    tunnel.onClientDrained();
    tunnel.onClientBytes(hello);
    tunnel.onWritable();
    expect(done()).to.deep.equal(['endpoint resumed', 'endpoint gets hello', 'client paused', 'client resumed']);
    expect([tunnel.sentBytes, tunnel.receivedBytes]).to.deep.equal([2, 5]);
  });

  it('lets a client that ended in order and is gone deliver what it sent, and drops what comes for it', () => {
    const { tunnel, done, sweep } = tunnelBetween();
    done();
    tunnel.onClientEnd();
    tunnel.onClientGone();
    tunnel.onTunnelBytes(hello, 0, 5);
    expect(done()).to.deep.equal(['endpoint ended', 'endpoint closed']);
    tunnel.onTunnelClosed();
    expect(done()).to.deep.equal(['over']);
    expect([tunnel.sentBytes, sweep.size]).to.deep.equal([2, 0]);
  });

  it('lets an endpoint that ended in order and is gone deliver what it sent, and drops what comes for it', () => {
    const { tunnel, done, sweep } = tunnelBetween();
    done();
    tunnel.onTunnelEnd();
    tunnel.onTunnelClosed();
    tunnel.onClientBytes(hello);
    tunnel.onClientEnd();
    expect(done()).to.deep.equal(['client ended', 'client closed']);
    tunnel.onClientGone();
    expect(done()).to.deep.equal(['over']);
    expect(sweep.size).to.equal(0);
  });

  it('passes the loss of a side that had not ended on as a reset', () => {
    const byClient = tunnelBetween();
    byClient.done();
    byClient.tunnel.onClientGone();
    expect(byClient.done()).to.deep.equal(['endpoint reset', 'over']);
    const byEndpoint = tunnelBetween();
    byEndpoint.done();
    byEndpoint.tunnel.onTunnelClosed();
    expect(byEndpoint.done()).to.deep.equal(['client reset']);
    byEndpoint.tunnel.onClientGone();
    expect(byEndpoint.done()).to.deep.equal(['over']);
  });

  it('ends once both sides were silent for the idle timeout, whichever spoke last', () => {
    const { tunnel, done, pass } = tunnelBetween();
    done();
    for (const speak of [
      () => tunnel.onClientBytes(hello),
      () => tunnel.onTunnelBytes(hello, 0, 5),
      () => tunnel.onClientDrained(),
      () => tunnel.onWritable(),
    ]) {
      pass(90);
      speak();
    }
    expect(done()).to.not.include('over');
    pass(130);
    expect(done()).to.deep.equal(['over', 'endpoint abandoned', 'client closed']);
    pass(500);
    expect(done()).to.deep.equal([]);
  });

  it('cuts both sides on a fault, and reports it once', () => {
    const { tunnel, done } = tunnelBetween();
    done();
    tunnel.onFault(new Error('broken'));
    tunnel.onClientGone();
    expect(done().filter((call) => call !== 'endpoint reset')).to.deep.equal(['Error: broken', 'client reset', 'over']);
  });
});
