import { httpConformance } from './http-conformance.ts';
import { makeCoreServer } from './server-rig.ts';

httpConformance('core', makeCoreServer);
