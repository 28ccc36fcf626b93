import { expect } from 'chai';
import { until } from '../behaviour-rig.ts';
import type { Suite } from './suite.ts';

/** A server that stops. */
export function draining(suite: Suite): void {
  describe('draining', () => {
    beforeEach(() => suite.start());

    it('finishes what is in flight, says close, and drops connections that stay idle', async () => {
      let finish: (() => void) | undefined;
      const endpoint = await suite.rig.backend((request, response) => {
        if (request.url === '/a/slow') finish = () => response.end('finished');
        else response.end('quick');
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      const idle = suite.rig.connect();
      idle.send('GET /a HTTP/1.1\r\nHost: h\r\n\r\n');
      await idle.until('quick');
      const busy = suite.rig.connect();
      busy.send('GET /a/slow HTTP/1.1\r\nHost: h\r\n\r\n');
      await until(() => finish !== undefined);
      const drained = suite.rig.server.drain(5_000);
      await idle.untilClosed();
      finish?.();
      const reply = await busy.untilClosed();
      expect(reply).to.match(/connection: close/i);
      expect(reply).to.include('finished');
      await drained;
    });

    it('ends at the deadline', async () => {
      let requested = false;
      const endpoint = await suite.rig.backend(() => {
        requested = true;
      });
      suite.rig.route('a', { endpoints: [endpoint] });
      const busy = suite.rig.connect();
      busy.send('GET /a HTTP/1.1\r\nHost: h\r\n\r\n');
      await until(() => requested);
      await suite.rig.server.drain(50);
      await busy.untilClosed();
    });
  });
}
