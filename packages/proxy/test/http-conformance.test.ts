import { httpConformance } from './http-conformance.ts';
import { makeExpressLane, makeRawLane } from './lane-rig.ts';

httpConformance('raw', makeRawLane);
httpConformance('express', makeExpressLane);
