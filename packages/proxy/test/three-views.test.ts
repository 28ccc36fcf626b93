import { makeCoreServer, makeExpressServer } from './server-rig.ts';
import { http1Client } from './three-views/run-case.ts';
import { threeViews } from './three-views/three-views.ts';

threeViews('core', makeCoreServer, http1Client);
threeViews('express', makeExpressServer, http1Client);
