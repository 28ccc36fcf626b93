import { silentLogger } from '@swarmgate/runtime';
import { ExpressLane } from '../src/entrypoint/express-lane.ts';
import { requestIds } from '../src/entrypoint/request-id.ts';
import { createForwarder } from '../src/forwarding/hpm/create-forwarder.ts';
import { RetryBudget } from '../src/forwarding/retry-budget.ts';
import { laneBehaviour } from './lane-behaviour.ts';

laneBehaviour('Express', ({ plane, timeouts, trusted, headMs, keepAliveMs, viaName, writesForwarded }) => {
  const forwarder = createForwarder();
  const settings = { timeouts, trusted, viaName, newRequestId: requestIds(), writesForwarded };
  const lane = new ExpressLane(
    { plane, forwarder, retries: new RetryBudget(), settings, logger: silentLogger },
    { headMs, keepAliveMs },
  );
  return {
    lane,
    stop: () => {
      void lane.drain(0);
      forwarder.stop();
    },
  };
});
