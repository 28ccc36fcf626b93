import { startWorkerRig } from './worker-rig.ts';

// A control process of its own, for a test that kills or halts it: says which workers it has, and waits.
const [env = '{}', backendPort] = process.argv.slice(2);
const rig = await startWorkerRig({ env: JSON.parse(env) as Record<string, string> });
await rig.put('manual/a', backendPort === undefined ? {} : { port: Number(backendPort) });
const { port, dataDir } = rig;
process.stdout.write(`${JSON.stringify({ port, dataDir, pids: rig.serving().map(({ pid }) => pid) })}\n`);
