import { readFileSync } from 'node:fs';
import { messageOf, UsageError } from '@swarmgate/runtime/errors';
import type { Command } from 'commander';
import type { CommandIo } from '../io.ts';
import { UnreachableError } from '../unreachable-error.ts';
import { clientFor, type OperatorOptions, operatorCommand, printResponse } from './operator-command.ts';

interface ChangeResponse {
  readonly Status: string;
  readonly Message: string;
}

/** Manual changes: each returns once every live replica serves it, or names the one that is late. */
export function addChangeCommands(program: Command, io: CommandIo): void {
  operatorCommand(
    program,
    'reconfigure [service] [parameters...]',
    'add or replace a service of owner manual; parameters are labels without com.df., as name=value',
    [
      'swarmgate reconfigure shop servicePath=/shop port=8080 outboundHostname=10.0.0.7',
      'swarmgate reconfigure --file shop.json',
    ],
  )
    .option('--file <definition>', 'a definition as JSON, as Consul’s UI shows it')
    .action(async (service: string | undefined, parameters: string[], options: OperatorOptions & { file?: string }) => {
      if (options.file !== undefined && service !== undefined)
        throw new UsageError('service-repeated', `--file contains the service and its labels: remove ${service}`);
      const client = await clientFor(options, io);
      const response =
        options.file !== undefined
          ? await client.post('/v1/reconfigure', {}, readJson(options.file))
          : await client.get('/v1/docker-flow-proxy/reconfigure', {
              ...keyValues(parameters),
              serviceName: named(service),
            });
      printResponse<ChangeResponse>(response, options, io, (body) =>
        said(body, `${service ?? options.file} is configured`),
      );
    });

  operatorCommand(program, 'remove <service>', 'remove a service of owner manual', ['swarmgate remove shop']).action(
    async (service: string, options: OperatorOptions) => {
      const response = await (await clientFor(options, io)).get('/v1/docker-flow-proxy/remove', {
        serviceName: service,
      });
      printResponse<ChangeResponse>(response, options, io, (body) =>
        said(body, `${service} is no longer a manual service`),
      );
    },
  );

  operatorCommand(program, 'reload', 'make the proxies read the whole registry again', [
    'swarmgate reload',
    'swarmgate reload --force',
  ])
    .option('--force', 'also drop services that are held because their keys vanished')
    .action(async (options: OperatorOptions & { force?: boolean }) => {
      const response = await (await clientFor(options, io)).post(
        '/v1/reload',
        options.force === true ? { force: 'true' } : {},
      );
      printResponse<ChangeResponse>(response, options, io, (body) => said(body, 'reloaded'));
    });

  operatorCommand(
    program,
    'adopt',
    'let a listener publish for a Swarm that was recreated under the same SWARM_NAME; calls a listener, not a proxy',
    ['swarmgate adopt --url http://10.0.0.5:8080'],
    'listener',
  ).action(async (options: OperatorOptions) => {
    const response = await (await clientFor(options, io, 'listener')).post('/v1/adopt');
    if (response.status === 404)
      throw new UnreachableError(
        'not-a-listener',
        `${response.from} is not a listener: --url or LISTENER_URL names one, LISTENER_PORT opens its port`,
      );
    printResponse<ChangeResponse>(response, options, io, (body) => said(body, 'adopted'));
  });
}

function said(body: ChangeResponse, otherwise: string): string {
  return typeof body.Message === 'string' && body.Message !== '' ? `${otherwise}: ${body.Message}` : otherwise;
}

function named(service: string | undefined): string {
  if (service === undefined)
    throw new UsageError('service-missing', 'name the service: swarmgate reconfigure SERVICE name=value …');
  return service;
}

function keyValues(parameters: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    parameters.map((parameter) => {
      const equals = parameter.indexOf('=');
      if (equals < 1)
        throw new UsageError('parameter-invalid', `${JSON.stringify(parameter)} is not name=value, such as port=8080`);
      return [parameter.slice(0, equals).replace(/^com\.df\./, ''), parameter.slice(equals + 1)];
    }),
  );
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError('file-unreadable', `${file} is not readable JSON: ${messageOf(error)}`, { cause: error });
  }
}
