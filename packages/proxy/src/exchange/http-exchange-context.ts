import type { Logger } from '@swarmgate/runtime';
import type { DecisionContext } from './decide.ts';
import type { ForwardingContext } from './forwarding.ts';

/** What all exchanges of one server share. */
export interface HttpExchangeContext extends ForwardingContext, DecisionContext {
  readonly logger: Logger;
}
