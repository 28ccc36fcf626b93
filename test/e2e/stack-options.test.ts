import { expect } from 'chai';
import { removeService } from '../harness/docker.ts';
import { untilResponds } from '../harness/http.ts';
import { until } from '../harness/until.ts';
import { sharedStack } from './shared-stack.ts';

describe('the stack’s options', () => {
  const ids: string[] = [];
  after(async () => {
    await Promise.all(ids.map((id) => removeService(sharedStack().docker, id)));
  });

  it('docker/stack.agent.yml: an agent tells the listeners of a container that goes', async () => {
    const stack = sharedStack();
    ids.push(
      await stack.createService('shrinking', {
        labels: { 'com.df.notify': 'true', 'com.df.servicePath': '/shrinking', 'com.df.port': '8080' },
        replicas: 2,
      }),
    );
    await untilResponds({ url: `${stack.httpUrl}/shrinking` }, 200);
    const before = await delivered();
    await stack.scale('shrinking', 1);
    await until('the listeners took what the agent says', async () => (await delivered()) > before);
  });

  it('docker/stack.redis.yml: proxies count rate limits in Redis', async () => {
    const stack = sharedStack();
    ids.push(
      await stack.createService('limited', {
        labels: {
          'com.df.notify': 'true',
          'com.df.servicePath': '/limited',
          'com.df.port': '8080',
          'com.df.rateLimit': '1000/s',
        },
      }),
    );
    const url = `${stack.httpUrl}/limited`;
    await untilResponds({ url }, 200);
    // Counted keys expire with their window, so one is made right before each look.
    const keys = await until('Redis holds a count', async () => {
      await untilResponds({ url }, 200);
      const count = Number((await queryRedis('DBSIZE')).slice(':'.length));
      return count > 0 && count;
    });
    expect(keys).to.be.greaterThan(0);
  });
});

async function delivered(): Promise<number> {
  const script = `console.log(await (await fetch('http://127.0.0.1:8080/readyz')).text());`;
  return (JSON.parse(await sharedStack().runInside('agent', script)) as { readonly delivered: number }).delivered;
}

/** One command in Redis' inline form, sent from a proxy; returns the first line. */
function queryRedis(command: string): Promise<string> {
  return sharedStack().runInside(
    'proxy',
    `import { connect } from 'node:net';
    const socket = connect(6379, 'redis', () => socket.write(${JSON.stringify(`${command}\r\n`)}));
    socket.once('data', (response) => { console.log(response.toString().split('\\r\\n')[0]); socket.end(); });`,
  );
}
