// The service that the harness deploys to a Swarm: one file of Node built-ins, run inside the imported image.
// It returns its host name, fails its health check or exits on request, and finishes or drops requests in flight at SIGTERM.
//   PORT (8080)            where it listens
//   MESSAGE (hello)        what `GET /` responses in `message`
//   STOP (abrupt|drain)    at SIGTERM: exit at once, or stop accepting and finish requests in flight (10 s at most)
//   STOP_DELAY_MS (0)      how long an abrupt exit takes after SIGTERM
//   START_DELAY_MS (0)     how long it takes before it listens
// Paths: /healthz (200, or 503 after POST /sick), /sick, /well, /slow?ms=N, /exit; anything else echoes the request.
import { createServer } from 'node:http';
import { hostname } from 'node:os';

const port = Number(process.env.PORT ?? 8080);
const message = process.env.MESSAGE ?? 'hello';
let sick = false;

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://demo');
  const reply = (status, extra = {}) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(
      `${JSON.stringify({ message, hostname: hostname(), method: request.method, path: request.url, headers: request.headers, ...extra })}\n`,
    );
  };
  if (url.pathname.endsWith('/healthz')) return reply(sick ? 503 : 200);
  if (url.pathname.endsWith('/sick')) sick = true;
  if (url.pathname.endsWith('/well')) sick = false;
  if (url.pathname.endsWith('/exit')) setTimeout(() => process.exit(1), 10);
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const waitMs = url.pathname.endsWith('/slow') ? Number(url.searchParams.get('ms') ?? 100) : 0;
    setTimeout(() => reply(200, { bodyBytes: Buffer.concat(chunks).length }), waitMs);
  });
});

setTimeout(() => server.listen(port), Number(process.env.START_DELAY_MS ?? 0));
process.on('SIGTERM', () => {
  if (process.env.STOP !== 'drain') {
    setTimeout(() => process.exit(0), Number(process.env.STOP_DELAY_MS ?? 0));
    return;
  }
  setTimeout(() => process.exit(0), 10_000).unref();
  server.close(() => process.exit(0));
});
process.on('SIGINT', () => process.exit(0));
