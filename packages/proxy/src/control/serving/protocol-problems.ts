import type { Problem, ServiceKey } from '@swarmgate/registry';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Route } from '../../model/route.ts';
import type { SpokenProtocol } from '../../transport/endpoint-channel.ts';

interface Found {
  readonly route: Route;
  readonly endpoint: Endpoint;
  readonly spoken: SpokenProtocol;
}

/**
 * Services whose endpoints do not speak the protocol of the label `protocol`, as requests showed: until such an endpoint responds, or
 * the service changes.
 */
export class ProtocolProblems {
  /** By id of the route: one of its endpoints is enough. */
  readonly #found = new Map<string, Found>();

  found(route: Route, endpoint: Endpoint, spoken: SpokenProtocol): void {
    this.#found.set(route.id, { route, endpoint, spoken });
  }

  /** The endpoint has responded in the label's protocol. */
  responded({ id }: Endpoint): void {
    if (this.#found.size === 0) return;
    for (const [route, { endpoint }] of this.#found) if (endpoint.id === id) this.#found.delete(route);
  }

  /** The services have changed. */
  apply(changed: Iterable<ServiceKey>): void {
    if (this.#found.size === 0) return;
    const keys = new Set(changed);
    for (const [id, { route }] of this.#found) if (keys.has(route.key)) this.#found.delete(id);
  }

  problems(): ReadonlyMap<ServiceKey, readonly Problem[]> {
    const problems = new Map<ServiceKey, readonly Problem[]>();
    for (const found of this.#found.values()) {
      const { key } = found.route;
      problems.set(key, [...(problems.get(key) ?? []), problemOf(found)]);
    }
    return problems;
  }
}

function problemOf({ route, endpoint, spoken }: Found): Problem {
  const { index, protocol = 'http1' } = route.destination;
  const label = index === 0 ? 'protocol' : `protocol.${index}`;
  const tls = endpoint.secure ? ' over TLS' : '';
  return {
    severity: 'warning',
    reason: 'wrong-protocol',
    message: `com.df.${label} is ${protocol}${tls}, but ${endpoint.host}:${endpoint.port} ${spokenText[spoken]}: its requests get 502`,
    label,
    value: protocol,
    suggestion: suggestionFor(`com.df.${label}`, protocol === 'grpc', endpoint.secure, spoken),
  };
}

const spokenText: Readonly<Record<SpokenProtocol, string>> = {
  http1: 'speaks HTTP/1.1',
  http2: 'speaks HTTP/2',
  tls: 'speaks TLS',
  plain: 'speaks no TLS',
  none: 'does not speak it',
};

function suggestionFor(label: string, isGrpc: boolean, secure: boolean, spoken: SpokenProtocol): string {
  switch (spoken) {
    case 'http1':
      return secure ? `set ${label}=http1 and com.df.sslVerifyNone=true` : `set ${label}=http1, or leave it out`;
    case 'http2':
      return `set ${label}=${secure ? 'h2' : 'h2c'}, or grpc for gRPC`;
    case 'tls':
      return isGrpc ? 'set com.df.sslVerifyNone=true, which adds TLS' : `set ${label}=h2`;
    case 'plain':
      return isGrpc ? 'leave com.df.sslVerifyNone out' : `set ${label}=h2c`;
    case 'none':
      return secure
        ? `let the service offer h2 by ALPN, or set ${label}=http1 and com.df.sslVerifyNone=true`
        : `correct com.df.port or ${label}`;
  }
}
