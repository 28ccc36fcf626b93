import { translateParameters } from '@swarmgate/labels';
import { createSealer, serviceKey } from '@swarmgate/registry';
import type { ServicesChange } from '../src/model/served-service.ts';

/** A service that Docker Flow's parameters define; its endpoint is on this machine. */
export interface LabelledService {
  readonly host: string;
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** The change that brings a route table these services, `manual/s0` and so on. Throws where a label makes a problem. */
export async function changeOf(services: readonly LabelledService[]): Promise<ServicesChange> {
  const sealer = createSealer([]);
  const changes = new Map();
  for (const [number, { host, port, labels }] of services.entries()) {
    const { definition, secrets, problems } = translateParameters(
      {
        serviceName: `s${number}`,
        serviceDomain: host,
        outboundHostname: '127.0.0.1',
        port: String(port),
        ...labels,
      },
      {
        owner: 'manual',
        separator: ',',
        source: { kind: 'rest', by: 'a test' },
        updatedAt: '2026-01-02T03:04:05.000Z',
        nowMs: 1,
      },
    );
    if (definition === undefined) throw new Error(JSON.stringify(problems));
    const sealed = await sealer.seal(definition, secrets, undefined);
    if (!sealed.ok) throw new Error(JSON.stringify(sealed.problems));
    const key = serviceKey(definition);
    changes.set(key, {
      key,
      definition: sealed.definition,
      endpoints: undefined,
      origin: 'registry',
      addressesFresh: true,
    });
  }
  return { revision: 'test:1', sequence: 1, registryId: 'test', changes, rejected: new Map() };
}
