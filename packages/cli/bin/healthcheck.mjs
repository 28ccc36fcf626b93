// What the images' HEALTHCHECK runs every few seconds: one GET /healthz of this container's own process, without the time that
// the whole program takes to load. `node healthcheck.mjs proxy|listener`
import { existsSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

const { env, argv } = process;
const isListener = argv[2] === 'listener';
const port = (isListener ? env.LISTENER_PORT : env.ADMIN_PORT) || 8080;
const isSecure =
  !isListener && Boolean(env.ADMIN_TLS || env.ADMIN_TLS_FILE || existsSync('/run/secrets/dfp_admin_tls'));
// It asks whether its own process responds, and sends nothing that is secret: which names the certificate has does not matter.
const options = { host: '127.0.0.1', port, path: '/healthz', rejectUnauthorized: false, timeout: 2_500 };
const fail = () => process.exit(1);
(isSecure ? https : http)
  .get(options, (response) => process.exit(response.statusCode === 200 ? 0 : 1))
  .on('timeout', fail)
  .on('error', fail);
