import { isTrue } from '@swarmgate/runtime';
import { type OutboundServer, readOutboundServer } from '../values/outbound-servers.ts';
import type { GivenOption, GivenOptions } from './given-options.ts';

/** One server outside of the Swarm. */
export interface Server {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly weight?: string;
}

/**
 * One by a label, several by blanks of `TRAEFIK_FILE`, with as many weights; those that get no requests are left out. A text: why there
 * is none.
 */
export function serversOf(given: GivenOption, options: GivenOptions, isTcp: boolean): readonly Server[] | string {
  const weightAt = options.get('loadbalancer.server.weight')?.value.trim().split(' ') ?? [];
  const urls = given.value.trim().split(' ');
  const found: Server[] = [];
  if ((options.get('loadbalancer.server.tls')?.value ?? '').split(' ').some(isTrue))
    return 'connections to servers of TCP cannot be TLS';
  for (const [at, text] of urls.entries()) {
    const server = isTcp ? serverOfTcp(text) : serverOf(text);
    if (server === undefined)
      return isTcp ? 'a server is no host and port' : 'a server is no URL of a host and a port alone';
    if (server.secure !== (found[0] ?? server).secure) return 'its servers are not all of one scheme';
    const { [at]: weight } = weightAt;
    if (weight !== undefined && urls.length > 1 && !isWeight(weight))
      return 'a weight is no whole number from 0 to 1,000';
    found.push(weight === undefined ? server : { ...server, weight });
  }
  const serving = found.filter(({ weight }) => weight !== '0');
  return serving.length === 0 ? 'no server has a weight above 0' : serving;
}

/** As `outboundServers` has it. */
export function textOfServer({ host, port, weight }: OutboundServer | Server): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}${weight === undefined ? '' : `=${weight}`}`;
}

/** 0: it gets no requests. Others as `outboundServers` takes them. */
function isWeight(text: string): boolean {
  return text === '0' || readOutboundServer(`a:1=${text}`) !== undefined;
}

function serverOf(value: string): Server | undefined {
  const match = /^(https?):\/\/([^/:]+|\[[^/\]]+\])(?::(\d{1,5}))?\/?$/.exec(value);
  if (match === null) return undefined;
  const secure = match[1] === 'https';
  const server = readOutboundServer(`${match[2]}:${match[3] ?? (secure ? 443 : 80)}`);
  return server === undefined ? undefined : { host: server.host, port: server.port, secure };
}

function serverOfTcp(value: string): Server | undefined {
  const server = readOutboundServer(value);
  return server === undefined || server.weight !== undefined
    ? undefined
    : { host: server.host, port: server.port, secure: false };
}
