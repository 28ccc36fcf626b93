import { Writable } from 'node:stream';
import { createLogger, readSettings } from '@swarmgate/runtime';
import { expect } from 'chai';
import { Registry as Metrics } from 'prom-client';
import { freePort } from '../../../test/free-ports.ts';
import { changeOf } from '../../../test/services-by-labels.ts';
import { startInProcessServer } from './in-process-server.ts';

describe('the log of a serving process with LOG_LEVEL=debug', () => {
  it('shows which endpoint was picked, what became of the attempt, and that the endpoint was ejected', async () => {
    const lines: Readonly<Record<string, unknown>>[] = [];
    const destination = new Writable({
      decodeStrings: false,
      write(line: string, _encoding, done) {
        lines.push(JSON.parse(line));
        done();
      },
    });
    const env = { DATA_DIR: '/nowhere' };
    const server = await startInProcessServer({
      settings: readSettings('proxy', { env, secretsDir: '/nowhere' }),
      logger: createLogger({ level: 'debug', destination }),
      metrics: new Metrics(),
      env,
      entrypoints: [{ port: 0, secure: false }],
      host: '127.0.0.1',
    });
    try {
      const refusing = await freePort();
      await server.apply(await changeOf([{ host: '127.0.0.1', port: refusing, labels: {} }]));
      const url = `http://127.0.0.1:${server.entrypoints()[0]?.port}/`;
      for (let request = 0; request < 3; request += 1) expect((await fetch(url)).status).to.equal(502);
    } finally {
      await server.stop();
    }
    const shown = lines.map(({ msg, route, outcome, health }) => ({ msg, route, outcome, health }));
    const route = 'manual/s0/0';
    expect(shown).to.deep.include({ msg: 'endpoint picked', route, outcome: undefined, health: undefined });
    expect(shown).to.deep.include({ msg: 'attempt ended', route: undefined, outcome: 'refused', health: undefined });
    const ejected = { msg: 'endpoint ejected', route: undefined, outcome: undefined, health: 'ejected' };
    expect(shown.filter(({ msg }) => msg === 'endpoint ejected')).to.deep.equal([ejected]);
  });
});
