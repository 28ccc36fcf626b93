import { type Logger, silentLogger } from '@swarmgate/runtime';
import { trustedProxies } from '../src/exchange/client-connection.ts';
import { RetryBudget } from '../src/exchange/retry-budget.ts';
import { RequestHead } from '../src/http/request-head.ts';
import type { ConnectionContext } from '../src/server/http1/connection-context.ts';
import type { ConnectionPool } from '../src/transport/connection-pool.ts';
import type { TestContext } from './test-context.ts';

interface Observed {
  readonly logger?: Logger;
  readonly forget?: ConnectionContext['forget'];
}

/** What connections of HTTP/1.1 share, where a test makes them without a server. */
export function http1ConnectionContext(
  exchanges: TestContext,
  pool: ConnectionPool,
  { logger = silentLogger, forget = () => undefined }: Observed = {},
): ConnectionContext {
  return {
    ...exchanges,
    pool,
    budget: new RetryBudget(0.2, 10),
    serverMs: 5_000,
    tunnelMs: 5_000,
    trusted: trustedProxies([]),
    viaName: 'test',
    newRequestId: () => 'id',
    writesForwarded: false,
    mostBodyBytes: 0,
    encodedSlash: 'keep',
    recordsAgents: false,
    logger,
    sweep: pool.sweep,
    timeouts: { headMs: 5_000, keepAliveMs: 5_000, clientMs: 5_000 },
    head: new RequestHead(),
    mayReadInPlace: true,
    draining: false,
    forget,
  };
}
