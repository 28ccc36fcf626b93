import { expect } from 'chai';
import { until } from '../behaviour-rig.ts';
import { untilStill } from '../until.ts';
import { bodyOf, digestOf, numbered, offer, openTunnel } from './open-tunnel.ts';
import type { Suite } from './suite.ts';

/** Which bytes of a tunnel arrive, and how each side learns of the other's end. */
export function tunnelFlow(suite: Suite): void {
  const open = (path?: string, early?: string, secure?: boolean) => openTunnel(suite, path, early, secure);

  describe('open tunnels', () => {
    beforeEach(() => suite.start());

    it('pass the client’s end on, and still what the endpoint says after it', async () => {
      const { client, endpoint, atEndpoint, atClient } = await open();
      client.send('last words');
      client.socket.end();
      await until(() => atEndpoint.ended);
      expect(atEndpoint.text).to.equal('last words');
      endpoint.write('a response to all of it');
      endpoint.end();
      await until(() => atClient.ended);
      expect(bodyOf(atClient.text)).to.equal('a response to all of it');
      expect((await suite.rig.report()).reason).to.equal(undefined);
    });

    it('pass the endpoint’s end on, and still what the client says after it', async () => {
      const { client, endpoint, atEndpoint, atClient } = await open();
      endpoint.end('done');
      await until(() => atClient.ended);
      expect(bodyOf(atClient.text)).to.equal('done');
      client.send('one more thing');
      await until(() => atEndpoint.text === 'one more thing');
      client.socket.end();
      await until(() => atEndpoint.ended);
      await suite.rig.report();
    });

    it('pass a reset on as a reset, both ways', async () => {
      const one = await open('/one');
      one.endpoint.resetAndDestroy();
      await until(() => one.atClient.closed);
      expect(one.atClient.error).to.equal('ECONNRESET');
      const other = await open('/other');
      other.client.socket.resetAndDestroy();
      await until(() => other.atEndpoint.closed);
      expect(other.atEndpoint.error).to.equal('ECONNRESET');
      await until(() => suite.rig.reports.length === 2);
    });

    it('pass a client’s reset on as a reset to an endpoint behind TLS', async () => {
      const { client, atEndpoint } = await open('/t', '', true);
      client.socket.resetAndDestroy();
      await until(() => atEndpoint.closed);
      expect([atEndpoint.error, atEndpoint.ended]).to.deep.equal(['ECONNRESET', false]);
      await suite.rig.report();
    });

    for (const secure of [false, true])
      it(`deliver all that a client sent before its end, to a slow endpoint${secure ? ' behind TLS' : ''}`, async () => {
        const { client, endpoint, atEndpoint } = await open('/t', '', secure);
        const bytes = numbered(4_194_304, 'c');
        endpoint.pause();
        client.send(bytes);
        client.socket.end();
        await untilStill(() => client.socket.bytesWritten, 'a full path to the endpoint');
        endpoint.resume();
        await until(() => atEndpoint.ended);
        expect(digestOf(atEndpoint.text)).to.equal(digestOf(bytes));
        endpoint.end();
        expect((await suite.rig.report()).receivedBytes).to.be.greaterThan(bytes.length);
      });

    it('end in order for a client that still speaks when its endpoint has closed', async () => {
      const { client, endpoint, atClient } = await open();
      const bytes = numbered(4_194_304, 'e');
      client.socket.pause();
      endpoint.end(Buffer.from(bytes, 'latin1'), () => endpoint.destroy());
      await untilStill(() => endpoint.bytesWritten, 'a full path to the client');
      client.socket.resume();
      await until(() => atClient.ended);
      expect(digestOf(bodyOf(atClient.text))).to.equal(digestOf(bytes));
      client.send('are you there?');
      await until(() => client.socket.writableLength === 0);
      client.send('are you still there?');
      client.socket.end();
      await until(() => atClient.closed);
      expect(atClient.error).to.equal(undefined);
      expect((await suite.rig.report()).sentBytes).to.be.greaterThan(bytes.length);
    });

    for (const secure of [false, true])
      it(`carry megabytes both ways at once, each byte once and in order${secure ? ', with TLS' : ''}`, async () => {
        const { client, endpoint, atEndpoint, atClient } = await open('/t', '', secure);
        const up = numbered(8_388_608, 'u');
        const down = numbered(8_388_608, 'd');
        client.send(up);
        client.socket.end();
        endpoint.end(Buffer.from(down, 'latin1'));
        await until(() => atClient.ended && atEndpoint.ended);
        expect(digestOf(atEndpoint.text)).to.equal(digestOf(up));
        expect(digestOf(bodyOf(atClient.text))).to.equal(digestOf(down));
        const report = await suite.rig.report();
        expect(report).to.include({ status: 101, reason: undefined, method: 'POST', path: '/t', retries: 0 });
        expect(report.receivedBytes).to.equal(offer('/t').length + up.length);
        expect(report.sentBytes).to.equal(atClient.text.length);
      });

    for (const [who, secure] of [
      ['client', false],
      ['client', true],
      ['endpoint', false],
      ['endpoint', true],
    ] as const)
      it(`do not read ahead of a slow ${who}${secure ? ' of an endpoint behind TLS' : ''}`, async () => {
        const { client, endpoint, atEndpoint, atClient } = await open('/t', '', secure);
        const [slow, fast] = who === 'client' ? [client.socket, endpoint] : [endpoint, client.socket];
        slow.pause();
        const piece = Buffer.alloc(65_536, 'x');
        const most = 1_024;
        let written = 0;
        const write = () => {
          while (written < most) {
            written++;
            if (!fast.write(piece)) {
              fast.once('drain', write);
              return;
            }
          }
        };
        write();
        await untilStill(() => written, 'the slow side to stop the other one');
        expect(written * piece.length).to.be.lessThan(32 * 1_048_576);
        slow.resume();
        const seen = who === 'client' ? atClient : atEndpoint;
        await until(() => written === most && seen.text.length >= most * piece.length);
        client.socket.destroy();
      });

    it('count as the endpoint’s load for as long as they last', async () => {
      const { client, endpoint, id } = await open();
      expect(suite.rig.balancer.outstandingOf(id)).to.equal(1);
      client.socket.destroy();
      endpoint.destroy();
      await until(() => suite.rig.balancer.outstandingOf(id) === 0);
    });

    it('go on while the server drains, and end at its deadline', async () => {
      const { client, endpoint, atEndpoint, atClient } = await open();
      const drained = suite.rig.server.drain(300);
      client.send('still here');
      await until(() => atEndpoint.text === 'still here');
      endpoint.write('and here');
      await client.until('and here');
      await drained;
      await until(() => (atClient.ended || atClient.closed) && (atEndpoint.ended || atEndpoint.closed));
      expect((await suite.rig.report()).status).to.equal(101);
    });
  });

  describe('tunnels with an idle timeout', () => {
    beforeEach(() => suite.start({ timeouts: { tunnelMs: 500 } }));

    // That either side's bytes extend the timeout is shown with a fake clock in exchange/tunnel.test.ts.
    it('end in order on both sides once neither sends', async () => {
      const { client, endpoint, atEndpoint, atClient } = await open();
      client.send('.');
      await until(() => atEndpoint.text === '.');
      endpoint.write('.');
      await until(() => atClient.ended && atEndpoint.ended);
      expect(bodyOf(atClient.text)).to.equal('.');
      expect([atClient.error, atEndpoint.error]).to.deep.equal([undefined, undefined]);
      expect(await suite.rig.report()).to.include({ status: 101, reason: undefined });
    });
  });
}
