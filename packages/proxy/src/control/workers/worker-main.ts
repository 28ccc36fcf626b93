import { shareLookups } from '@swarmgate/runtime';
import { beFirstToEndWithoutMemory } from './first-to-end.ts';
import { WorkerProgram } from './worker.ts';

// A terminal sends its signals to every process of the group, and the control process decides what workers do about them.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => undefined);

shareLookups();
beFirstToEndWithoutMemory();

// When the control process is gone, node:cluster or the link to it ends this one: a worker that gets no updates must not
// keep ports that a restarted proxy needs.
new WorkerProgram().run();
