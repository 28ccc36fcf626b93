import { httpConformance } from './http-conformance.ts';
import { makeCoreServer, makeExpressServer } from './server-rig.ts';

httpConformance('core', makeCoreServer);
httpConformance('express', makeExpressServer);
