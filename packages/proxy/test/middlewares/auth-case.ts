import { expect } from 'chai';
import type { Given, Protocol, Requested, Response, SeenCall } from './middleware-stage.ts';

export interface AuthCase {
  readonly what: string;
  /** `AUTH` stands for the address of the auth service. */
  readonly labels: Readonly<Record<string, string>>;
  readonly auth: Response;
  readonly request: Requested;
  /** Default: all. */
  readonly by?: readonly Protocol[];
  readonly expect: (
    given: Given,
    seen: { readonly auth: readonly SeenCall[]; readonly backend: readonly SeenCall[] },
  ) => void;
}

export const html = { accept: 'text/html,application/xhtml+xml' };
export const passes: Response = (_call, response) => response.writeHead(200, { 'X-User': 'jane' }).end();
export const only = (seen: readonly SeenCall[]): SeenCall => {
  expect(seen).to.have.length(1);
  return seen[0] as SeenCall;
};
export const denied =
  (status: number, reason: string) => (given: Given, seen: { readonly backend: readonly SeenCall[] }) => {
    expect(given.status).to.equal(status);
    expect(given.headers['x-swarmgate-reason']).to.equal(reason);
    expect(seen.backend).to.have.length(0);
  };
export const requests = ['HTTP/1.1', 'HTTP/2'] as const;

export const plain = { forwardAuth: 'http://AUTH/verify?mode=x,responseHeaders=X-User X-Groups' };
