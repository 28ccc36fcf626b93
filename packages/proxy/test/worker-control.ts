import { startWorkerRig } from './worker-rig.ts';

// A control process of its own, for a test that kills it: says which workers it has, and waits.
const rig = await startWorkerRig();
await rig.put('manual/a', {});
const { port, dataDir } = rig;
process.stdout.write(`${JSON.stringify({ port, dataDir, pids: rig.serving().map(({ pid }) => pid) })}\n`);
