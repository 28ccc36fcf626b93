// npm run services: the real parts to work against by hand, until Ctrl-C: a Swarm, a Consul with its UI, a Redis.
// Prints the environment that `npm start` and the `swarmgate` command take.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { programPath } from './binary-image.ts';
import { startConsul } from './consul.ts';
import { ensureDocker } from './docker.ts';
import { freePorts } from './free-ports.ts';

const engine = await ensureDocker();
const consul = await startConsul();
const [redisPort] = (await freePorts(1)) as [number];
const redis = spawn(
  programPath('redis-server'),
  ['--bind', '127.0.0.1', '--port', String(redisPort), '--save', '', '--appendonly', 'no'],
  { stdio: 'ignore' },
);
console.log(`# Docker Engine ${engine.startedHere ? 'started here' : 'as it was'}, in Swarm mode; Consul: ${consul.url}/ui/
export CONSUL_HTTP_ADDR=${consul.address} REDIS_URL=redis://127.0.0.1:${redisPort}`);

await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
if (redis.exitCode === null && redis.kill('SIGTERM')) await once(redis, 'exit');
await consul.remove();
await engine.stopIfStartedHere();
process.exit(0);
