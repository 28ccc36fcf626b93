// The sample service: responds to every request with who it is. Node built-ins only.
//   PORT (8080)  where it listens      HOST (all addresses)      MESSAGE (hello)  its response
import { createServer } from 'node:http';
import { hostname } from 'node:os';

const server = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const { method, url, headers } = request;
  response.end(
    `${JSON.stringify({ message: process.env.MESSAGE ?? 'hello', hostname: hostname(), method, url, headers })}\n`,
  );
});

// `npm start` starts it as a child on any free port and is reported which.
server.listen(Number(process.env.PORT ?? 8080), process.env.HOST, () =>
  process.send?.({ port: server.address().port }),
);
process.on('disconnect', () => process.exit(0));
// Finishes requests in flight, so that a rolling update loses no response.
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
