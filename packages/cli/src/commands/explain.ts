import type { ExplainResponse } from '@swarmgate/proxy';
import { hostPort } from '@swarmgate/runtime/host-port';
import type { Command } from 'commander';
import type { CommandIo } from '../io.ts';
import { table } from '../output/table.ts';
import { clientFor, type OperatorOptions, operatorCommand, printResponse } from './operator-command.ts';
import { show } from './routes.ts';

interface ExplainOptions extends OperatorOptions {
  readonly method?: string;
  readonly header?: readonly string[];
  readonly port?: string;
  readonly client?: string;
  readonly http2?: boolean;
}

export function addExplainCommand(program: Command, io: CommandIo): void {
  operatorCommand(program, 'explain <address>', 'which route a request takes, and why no other', [
    'swarmgate explain http://shop.example.com/cart',
    "swarmgate explain https://shop.example.com/ --method POST --header 'X-Beta: 1'",
    'swarmgate explain https://rpc.example.com/shop.Cart/Add --method POST --http2',
  ])
    .option('--method <method>', 'method of the request', 'GET')
    .option(
      '--header <name:value>',
      'a header of the request; may be repeated',
      (value: string, all: readonly string[] = []) => [...all, value],
    )
    .option('--port <port>', 'entrypoint, if it differs from the port of the address')
    .option('--client <address>', 'address of the client, for rules with ClientIP')
    .option('--http2', 'also what a client of HTTP/2 meets: 421, WebSockets, gRPC')
    .action(async (address: string, options: ExplainOptions) => {
      const query = new URLSearchParams({ url: address, method: options.method ?? 'GET' });
      for (const header of options.header ?? []) query.append('header', header);
      if (options.port !== undefined) query.set('port', options.port);
      if (options.client !== undefined) query.set('client', options.client);
      if (options.http2 === true) query.set('http2', 'true');
      printResponse<ExplainResponse>(
        await (await clientFor(options, io)).get(`/v1/explain?${query}`),
        options,
        io,
        describeExplanation,
      );
    });
}

export function describeExplanation({
  request,
  winner,
  byDefault,
  middleware,
  answer,
  http2,
  readings = [],
  candidates,
}: ExplainResponse): string {
  const lines = [`${request.method} ${request.host}${request.path} at port ${request.port}`];
  if (winner === null) lines.push('no route matches');
  else {
    lines.push(`served by ${winner.id}${byDefault ? ' (the default backend)' : ''}`);
    for (const [label, value] of Object.entries(winner.conditions)) lines.push(`  ${label} = ${show(value)}`);
    if (middleware.length > 0) lines.push(`middleware ${middleware.join(' → ')}`);
    const endpoints = winner.endpoints.map(
      (each) => `${hostPort(each.host, each.port)} (${each.state}, ${each.health})`,
    );
    lines.push(`endpoints ${endpoints.length === 0 ? 'none' : endpoints.join(', ')}`);
    if (answer === null && winner.endpoints.every(({ state }) => state !== 'active'))
      lines.push('no endpoint takes new requests: 503 no-endpoint');
  }
  if (answer !== null) lines.push(`response ${answer.status} ${answer.reason}`);
  if (http2 !== undefined) lines.push(...describeHttp2(http2));
  if (readings.length > 0) {
    lines.push(
      '',
      table(
        ['READ AS', '%2F', '//', ';x', 'ROUTE', 'REFUSED FOR'],
        readings.map(({ path, encodedSlashes, slashes, parameters, routes, conflict }) => [
          path,
          encodedSlashes,
          slashes,
          parameters,
          routes.length === 0 ? 'none' : routes.join(', '),
          conflict ?? '',
        ]),
      ),
    );
  }
  if (candidates.length > 0) {
    lines.push(
      '',
      table(
        ['NOT', 'BECAUSE OF', 'WHY'],
        candidates.map((each) => [each.id, each.condition, each.message]),
      ),
    );
  }
  return lines.join('\n');
}

type Http2Explanation = NonNullable<ExplainResponse['http2']>;

const spokenHow: Readonly<Record<Http2Explanation['spoken'], string>> = {
  alpn: 'spoken over TLS, by ALPN',
  'prior-knowledge': 'spoken by prior knowledge',
  off: 'not spoken (HTTP2=false)',
};

function describeHttp2({ spoken, misdirected, upstream, webSocket, grpc, grpcWeb }: Http2Explanation): string[] {
  const lines = ['', `HTTP/2 ${spokenHow[spoken]}`];
  if (misdirected)
    lines.push(
      "  421 misdirected-request on a connection that was made under another host's certificate or client-certificate rule",
    );
  if (upstream !== null) lines.push(`  protocol to the service: ${upstream}`);
  if (webSocket === 'upgrade') lines.push('  a WebSocket (RFC 8441) becomes an upgrade of HTTP/1.1');
  if (webSocket === 'extended-connect')
    lines.push(
      '  a WebSocket passes by extended CONNECT (RFC 8441), 501 upgrade-not-supported where the service has not announced it',
    );
  if (grpc === 'passes') lines.push('  gRPC passes, trailers included');
  if (grpc === 'not-spoken') lines.push('  gRPC does not reach the service over HTTP/1.1: set com.df.protocol=grpc');
  if (grpcWeb) lines.push('  gRPC-Web is translated');
  return lines;
}
