import { silentLogger } from '@swarmgate/runtime';
import { requestIds } from '../src/exchange/request-id.ts';
import { createLanes } from '../src/server/http1/lanes.ts';
import type { MakeLane } from './behaviour-rig.ts';
import { laneBehaviour } from './lane-behaviour.ts';

const lanesWith =
  (first: 'raw' | 'express'): MakeLane =>
  ({ plane, timeouts, trusted, headMs, keepAliveMs, viaName, writesForwarded }) =>
    createLanes({
      plane,
      first,
      exchange: { timeouts, trusted, viaName, newRequestId: requestIds(), writesForwarded },
      express: { headMs, keepAliveMs },
      queueMs: 5_000,
      logger: silentLogger,
    });

laneBehaviour('raw', lanesWith('raw'));
laneBehaviour('Express', lanesWith('express'));
