import { SwarmgateError } from '@swarmgate/runtime/errors';

/** Nothing responds at the address, or something that is not a Swarmgate process: exit code 2. */
export class UnreachableError extends SwarmgateError {}
