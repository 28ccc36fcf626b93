import { expect } from 'chai';
import {
  type Given,
  type MiddlewareStage,
  type Protocol,
  protocols,
  type Requested,
  type Response,
  routers,
  type SeenCall,
  type StagedService,
  startService,
  startStage,
} from './middleware-stage.ts';

/** One request through a route with these labels, and what client and service see. */
export interface LabelCase {
  readonly what: string;
  /** `OTHER` stands for the address of another service. */
  readonly labels: Readonly<Record<string, string>>;
  readonly request?: Requested;
  /** Default: all. */
  readonly by?: readonly Protocol[];
  /** Status, then reason of a response of the proxy's own. Default: what the service returns. */
  readonly is?: readonly [status: number, reason: string];
  /** Target that the service gets. */
  readonly target?: string;
  /** Headers that the service gets; `undefined`: none. */
  readonly gets?: Readonly<Record<string, string | RegExp | undefined>>;
  /** Headers that the client gets; `undefined`: none. */
  readonly responses?: Readonly<Record<string, string | RegExp | undefined>>;
  readonly body?: string;
}

export const requests = ['HTTP/1.1', 'HTTP/2'] as const;

export interface LabelStage {
  readonly backend?: Response;
  readonly other?: Response;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs every case with both routers by every protocol. */
export function runLabelCases(name: string, cases: readonly LabelCase[], options: LabelStage = {}): void {
  for (const router of routers)
    describe(`${name}, ${router} router`, () => {
      let backend: StagedService;
      let other: StagedService;
      let stage: MiddlewareStage;

      before(async () => {
        backend = await startService(options.backend ?? ((_call, response) => response.writeHead(200).end('served')));
        other = await startService(options.other ?? ((_call, response) => response.writeHead(200).end('other')));
        const address = `127.0.0.1:${other.port}`;
        const routes = cases.map(({ labels }, number) => ({
          host: hostOf(number),
          port: backend.port,
          labels: Object.fromEntries(
            Object.entries(labels).map(([label, value]) => [label, value.replaceAll('OTHER', address)]),
          ),
        }));
        stage = await startStage(routes, router, options.env);
      });

      after(async () => {
        await stage.stop();
        await backend.stop();
        await other.stop();
      });

      for (const [number, each] of cases.entries())
        for (const protocol of each.by ?? protocols)
          it(`${each.what} (${protocol})`, async () => {
            backend.seen.length = 0;
            const given = await stage.send(protocol, hostOf(number), each.request);
            expectCase(each, given, backend.seen);
          });
    });
}

function expectCase(each: LabelCase, given: Given, seen: readonly SeenCall[]): void {
  const [status, reason] = each.is ?? [undefined, undefined];
  if (status === undefined) {
    expect(given.status, given.body).to.be.oneOf([200, 101]);
    expect(given.headers['x-swarmgate-reason']).to.equal(undefined);
  } else expect([given.status, given.headers['x-swarmgate-reason']]).to.deep.equal([status, reason]);
  if (each.target !== undefined) expect(seen.at(-1)?.url).to.equal(each.target);
  for (const [name, value] of Object.entries(each.gets ?? {}))
    if (value instanceof RegExp) expect(seen.at(-1)?.header(name), name).to.match(value);
    else expect(seen.at(-1)?.header(name), name).to.equal(value);
  for (const [name, value] of Object.entries(each.responses ?? {}))
    if (value instanceof RegExp) expect(given.headers[name], name).to.match(value);
    else expect(given.headers[name], name).to.equal(value);
  if (each.body !== undefined) expect(given.body).to.equal(each.body);
}

const hostOf = (number: number) => `m${number}.example`;
