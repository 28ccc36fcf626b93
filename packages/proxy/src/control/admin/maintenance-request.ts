import { networks } from '@swarmgate/labels';
import { type MaintenancePage, maintenancePageShape } from '@swarmgate/registry';
import { z } from 'zod';
import { BadRequestError } from './request-query.ts';

/** The parameters of `POST /v1/maintenance`, beside the service. */
export interface GivenMaintenance {
  readonly page: MaintenancePage;
  /** ISO 8601. Of a service: its end. Of an endpoint: until then its open tunnels may stay. */
  readonly until?: string;
  /** Address of an endpoint to drain; absent: the whole service. */
  readonly endpoint?: EndpointAddress;
}

export interface EndpointAddress {
  readonly host: string;
  /** Absent: every port of the host. */
  readonly port?: number;
}

const pageSchema = z.strictObject(maintenancePageShape);
const known = ['service', 'owner', 'endpoint', 'until', 'for', 'message', 'page', 'retryAfter', 'except'] as const;
const ofService = ['message', 'page', 'retryAfter', 'except'] as const;

/** Reads the parameters. Pure. @throws BadRequestError `parameter-invalid` */
export function readMaintenance(input: ReadonlyMap<string, string>, nowMs: number): GivenMaintenance {
  for (const name of input.keys())
    if (!known.some((each) => each === name)) throw invalid(`${shown(name)} is unknown: expected ${known.join(', ')}`);
  const until = untilOf(input, nowMs);
  const endpoint = endpointOf(input);
  const misplaced = endpoint === undefined ? undefined : ofService.find((name) => given(input, name) !== undefined);
  if (misplaced !== undefined)
    throw invalid(`${misplaced} is for a whole service: a drained endpoint gets no requests`);
  return {
    page: pageOf(input),
    ...(until === undefined ? {} : { until }),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}

/** `10.0.1.5:8080`, `10.0.1.5`, `[fd00::5]:8080`, `fd00::5`. @throws BadRequestError `parameter-invalid` */
export function endpointOf(input: ReadonlyMap<string, string>): EndpointAddress | undefined {
  const text = given(input, 'endpoint');
  if (text === undefined) return undefined;
  const match = /^\[([0-9a-fA-F:.]+)\](?::(\d{1,5}))?$/.exec(text) ?? /^([^\s:[\]]+)(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? (/^[0-9a-fA-F:.]+$/.test(text) ? text : undefined);
  const port = match?.[2] === undefined ? undefined : Number(match[2]);
  const isPort = port === undefined || (port >= 1 && port <= 65_535);
  if (host === undefined || !/^[A-Za-z0-9._:-]{1,253}$/.test(host) || !isPort)
    throw invalid(`endpoint is ${shown(text)}: expected an address with or without a port, such as 10.0.1.5:8080`);
  return port === undefined ? { host } : { host, port };
}

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const longestMs = 366 * 86_400_000;

function untilOf(input: ReadonlyMap<string, string>, nowMs: number): string | undefined {
  const [until, lasting] = [given(input, 'until'), given(input, 'for')];
  if (until !== undefined && lasting !== undefined) throw invalid('until and for are both given: give one of them');
  if (lasting !== undefined) {
    const match = /^(\d{1,9})([smhd]?)$/.exec(lasting);
    const ms = Number(match?.[1]) * (unitsMs[match?.[2] || 's'] ?? Number.NaN);
    if (!(ms > 0 && ms <= longestMs))
      throw invalid(`for is ${shown(lasting)}: expected a time up to a year, such as 90s, 30m, 2h or 1d`);
    return new Date(nowMs + ms).toISOString();
  }
  if (until === undefined) return undefined;
  const atMs = z.iso.datetime({ offset: true }).safeParse(until).success ? Date.parse(until) : Number.NaN;
  if (Number.isNaN(atMs))
    throw invalid(`until is ${shown(until)}: expected a time of ISO 8601, such as 2026-01-02T03:04:05Z`);
  if (atMs <= nowMs) throw invalid(`until is ${until}, which is over`);
  if (atMs > nowMs + longestMs) throw invalid(`until is ${until}: expected a time within a year`);
  return new Date(atMs).toISOString();
}

function pageOf(input: ReadonlyMap<string, string>): MaintenancePage {
  const retryAfter = given(input, 'retryAfter');
  const except = given(input, 'except');
  const parsed = except === undefined ? undefined : networks.parse(except, { separator: ',' });
  if (parsed?.ok === false) throw invalid(`except is ${shown(except ?? '')}: expected ${parsed.expected}`);
  const page = {
    message: given(input, 'message'),
    page: given(input, 'page'),
    retryAfterMs: retryAfter === undefined ? undefined : Math.round(Number(retryAfter) * 1_000),
    except: parsed?.value,
  };
  const present = Object.fromEntries(Object.entries(page).filter(([, value]) => value !== undefined));
  const checked = pageSchema.safeParse(present);
  if (checked.success) return checked.data as MaintenancePage;
  const [issue] = checked.error.issues;
  const name = issue?.path[0] === 'retryAfterMs' ? 'retryAfter' : String(issue?.path[0] ?? 'the page');
  if (name === 'retryAfter')
    throw invalid(`retryAfter is ${shown(retryAfter ?? '')}: expected whole seconds from 1 to 604800`);
  throw invalid(`${name} cannot be used: ${issue?.message ?? 'it is not valid'}`);
}

function given(input: ReadonlyMap<string, string>, name: string): string | undefined {
  const text = input.get(name)?.trim();
  return text === undefined || text === '' ? undefined : text;
}

function shown(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}

function invalid(message: string): BadRequestError {
  return new BadRequestError('parameter-invalid', message);
}
