// A sample service: shows the request as it arrives behind the proxy.
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(`${JSON.stringify({ method: request.method, url: request.url, headers: request.headers }, null, 2)}\n`);
});
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
process.on('SIGTERM', () => server.close());
// The parent holds our standard input: when it is gone, however it went, so are we.
process.stdin.resume().on('end', () => process.exit(0));
