// What the images' HEALTHCHECK runs every few seconds: one GET of this container's own process, without the time that the
// whole program takes to load. `node healthcheck.mjs proxy|listener`
//
// A proxy is healthy from its first table on: in an update Swarm stops the former task when the next one is healthy. One that
// drains is healthy until it ends.
import { existsSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

const { env, argv } = process;
const isListener = argv[2] === 'listener';
const port = (isListener ? env.LISTENER_PORT : env.ADMIN_PORT) || 8080;
const isSecure =
  !isListener && Boolean(env.ADMIN_TLS || env.ADMIN_TLS_FILE || existsSync('/run/secrets/dfp_admin_tls'));
// It checks that its own process responds, and sends no secret: which names the certificate has does not matter.
const options = {
  host: '127.0.0.1',
  port,
  path: isListener ? '/healthz' : '/readyz',
  rejectUnauthorized: false,
  timeout: 2_500,
};
const fail = () => process.exit(1);
(isSecure ? https : http)
  .get(options, (response) => {
    if (response.statusCode === 200) process.exit(0);
    let body = '';
    response
      .setEncoding('utf8')
      .on('data', (piece) => {
        body += piece;
      })
      .on('end', () => process.exit(!isListener && /"status":"draining"/.test(body) ? 0 : 1));
  })
  .on('timeout', fail)
  .on('error', fail);
