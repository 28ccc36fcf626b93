import { silentLogger } from '@swarmgate/runtime';
import { type ProxyUnderTest, startProxyUnderTest } from '../running-proxy.ts';
import { until } from '../until.ts';

/** What became of one fault in a control task. */
export interface FailedTask {
  readonly site: string;
  readonly fired: number;
  /** Tasks that `GET /v1/problems` names afterwards. */
  readonly problems: readonly string[];
  /** The task ran again, or its callback was called again. */
  readonly again: boolean;
  /** Of `GET /readyz` afterwards. */
  readonly ready: number;
}

const uncaught: string[] = [];
process.on('uncaughtException', (error) => uncaught.push(String(error.stack)));

/** Throws once at one place; `undefined`: at none, to see which places a proxy comes to by itself. */
async function injectAt(
  site: string | undefined,
): Promise<{ readonly seen: readonly string[]; readonly task: FailedTask }> {
  const { faultInjection } = globalThis;
  faultInjection.seen.clear();
  faultInjection.fired = 0;
  faultInjection.armed = site;
  const under = await startProxyUnderTest({ logger: silentLogger });
  let again = true;
  if (site === undefined)
    await until(
      () => [...faultInjection.seen].some((each) => each.includes('/bus/cluster.ts')),
      'the callbacks',
      8_000,
    );
  else {
    await until(() => faultInjection.fired > 0, `a fault at ${site}`, 8_000);
    again = await until(() => faultInjection.again > 0, 'another turn', 8_000).then(
      () => true,
      () => false,
    );
  }
  const task = {
    site: site ?? '',
    fired: faultInjection.fired,
    problems: await failedTasksOf(under),
    again,
    ready: (await under.call('GET', '/readyz')).status,
  };
  const seen = [...faultInjection.seen];
  await under.stop();
  return { seen, task };
}

async function failedTasksOf(under: ProxyUnderTest): Promise<readonly string[]> {
  const { body } = await under.call('GET', '/v1/problems');
  const problems = body.problems as readonly { owner: string; service: string; reason: string }[];
  return problems
    .filter(({ owner, reason }) => owner === 'env' && reason === 'task-failed')
    .map(({ service }) => service);
}

const { seen, task: quiet } = await injectAt(undefined);
const sites = seen.filter((site) => site.startsWith('task ') || site.startsWith('proxy/src/control/')).sort();
const injected: FailedTask[] = [];
for (const site of sites) injected.push((await injectAt(site)).task);
process.stdout.write(JSON.stringify({ quiet, injected, uncaught }));
process.exit(0);
