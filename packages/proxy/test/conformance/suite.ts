import { type ScriptedBackend, startBackend } from '../scripted-backend.ts';
import { type MakeServer, type Rig, type RigOptions, startRig } from '../server-rig.ts';
import { endpointAt } from '../test-context.ts';

export interface Stage {
  readonly rig: Rig;
  readonly backend: ScriptedBackend;
}

/** One server before one scripted backend, taken down whatever happens. */
export async function onStage(
  makeServer: MakeServer,
  play: (stage: Stage) => Promise<void>,
  options: Partial<RigOptions> = {},
): Promise<void> {
  const backend = await startBackend();
  const rig = await startRig(makeServer, { endpoints: [endpointAt(backend.port)], ...options });
  try {
    await play({ rig, backend });
  } finally {
    await rig.stop();
    await backend.stop();
  }
}

export const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n${more}\r\n`;
