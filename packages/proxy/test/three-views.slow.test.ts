import {
  makeCoreServer,
  makeExpressHttp2Server,
  makeExpressServer,
  makeHttp2Server,
  makeReferenceServer,
} from './server-rig.ts';
import { http2Client } from './three-views/http2-client.ts';
import { http1Client } from './three-views/run-case.ts';
import { threeViews } from './three-views/three-views.ts';

threeViews('core', makeCoreServer, http1Client);
threeViews('express', makeExpressServer, http1Client);
threeViews('core', makeHttp2Server, http2Client);
threeViews('express', makeExpressHttp2Server, http2Client);
threeViews('core, node:http2', makeReferenceServer, http2Client);
