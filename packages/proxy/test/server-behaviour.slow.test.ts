import { makeCoreServer } from './behaviour-rig.ts';
import { serverBehaviour } from './server-behaviour.ts';

serverBehaviour('core', makeCoreServer);
