import { consulUiMutants } from './consul-ui.ts';
import { exchangeMutants } from './exchange.ts';
import { faultMutants } from './faults.ts';
import { http2Mutants } from './http2.ts';
import { maintenanceMutants } from './maintenance.ts';
import { middlewareMutants } from './middlewares.ts';
import type { Mutant } from './mutant.ts';
import { pluginMutants } from './plugins.ts';
import { publishingMutants } from './publishing.ts';
import { servingMutants } from './serving.ts';

/** Every planted fault, module by module. */
export const mutants: readonly Mutant[] = [
  ...exchangeMutants,
  ...faultMutants,
  ...servingMutants,
  ...publishingMutants,
  ...consulUiMutants,
  ...pluginMutants,
  ...middlewareMutants,
  ...maintenanceMutants,
  ...http2Mutants,
];
