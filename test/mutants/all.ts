import { attackMutants } from './attacks.ts';
import { byteMutants } from './bytes.ts';
import { certificateMutants } from './certificates.ts';
import { consoleMutants } from './console.ts';
import { consulUiMutants } from './consul-ui.ts';
import { documentMutants } from './documents.ts';
import { endpointMutants } from './endpoints.ts';
import { exchangeMutants } from './exchange.ts';
import { faultMutants } from './faults.ts';
import { floodMutants } from './floods.ts';
import { http2Mutants } from './http2.ts';
import { labelMutants } from './labels.ts';
import { listeningMutants } from './listening.ts';
import { maintenanceMutants } from './maintenance.ts';
import { middlewareMutants } from './middlewares.ts';
import type { Mutant } from './mutant.ts';
import { numbersMutants } from './numbers.ts';
import { outputMutants } from './outputs.ts';
import { pluginMutants } from './plugins.ts';
import { positionMutants } from './positions.ts';
import { publishingMutants } from './publishing.ts';
import { registryMutants } from './registry.ts';
import { servingMutants } from './serving.ts';
import { traefikMiddlewareFaults, traefikTcpMiddlewareFaults } from './traefik-middlewares.ts';
import { wireMutants } from './wire.ts';
import { workerMutants } from './workers.ts';

/** Every planted fault, module by module. */
export const mutants: readonly Mutant[] = [
  ...attackMutants,
  ...byteMutants,
  ...exchangeMutants,
  ...faultMutants,
  ...servingMutants,
  ...positionMutants,
  ...publishingMutants,
  ...consoleMutants,
  ...consulUiMutants,
  ...pluginMutants,
  ...middlewareMutants,
  ...Object.values(traefikMiddlewareFaults).flat(),
  ...Object.values(traefikTcpMiddlewareFaults).flat(),
  ...maintenanceMutants,
  ...floodMutants,
  ...http2Mutants,
  ...certificateMutants,
  ...labelMutants,
  ...registryMutants,
  ...documentMutants,
  ...listeningMutants,
  ...endpointMutants,
  ...numbersMutants,
  ...wireMutants,
  ...outputMutants,
  ...workerMutants,
];
