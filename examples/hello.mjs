// A sample service: says hello, and which address of the proxy the request came by.
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  const by = request.headers['x-forwarded-host'] ?? request.headers.host ?? 'nobody';
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.end(`Hello from Swarmgate's sample service. You asked ${by} for ${request.url}\n`);
});
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
process.on('SIGTERM', () => server.close());
// The parent holds our standard input: when it is gone, however it went, so are we.
process.stdin.resume().on('end', () => process.exit(0));
