import { serverBehaviour } from './server-behaviour.ts';
import { makeExpressServer } from './server-rig.ts';

// A file of its own beside server-behaviour.slow.test.ts, so that both run at the same time.
serverBehaviour('express', makeExpressServer);
