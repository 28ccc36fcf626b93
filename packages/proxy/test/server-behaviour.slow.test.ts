import { serverBehaviour } from './server-behaviour.ts';
import { makeCoreServer } from './server-rig.ts';

serverBehaviour('core', makeCoreServer);
