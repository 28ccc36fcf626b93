import { type Command, Option } from 'commander';
import type { CommandIo } from '../io.ts';

/** The long-running processes. Each is loaded on use: `swarmgate status` does not load a proxy. */
export function addServeCommands(program: Command, io: CommandIo): void {
  program
    .command('proxy')
    .description('follow the registry and forward requests')
    .addHelpText(
      'after',
      '\nExamples:\n  $ CONSUL_HTTP_ADDR=consul:8500 swarmgate proxy\n  $ DEFAULT_PORTS=8000 swarmgate proxy',
    )
    .action(async () => (await import('../serve/proxy.ts')).proxy(io));
  program
    .command('listener')
    .description('observe the Swarm and publish its services to Consul')
    .addOption(
      new Option(
        '--role <role>',
        '`agent`: one on every node, reports terminating containers of its node to the listeners',
      )
        .choices(['listener', 'agent'])
        .default('listener'),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ CONSUL_HTTP_ADDR=consul:8500 swarmgate listener\n  $ LISTENER_URL=http://tasks.listener:8080 swarmgate listener --role agent',
    )
    .action(async ({ role }: { readonly role: 'listener' | 'agent' }) => {
      const serve = await import('../serve/listener.ts');
      await (role === 'agent' ? serve.agent(io) : serve.listener(io));
    });
  program
    .command('standalone')
    .description('listener and proxy in one process, with sample services where there is no Swarm')
    .addHelpText(
      'after',
      '\nExamples:\n  $ swarmgate standalone\n  $ DEFAULT_PORTS=80 ADMIN_PORT=9000 swarmgate standalone',
    )
    .action(async () => (await import('../serve/standalone.ts')).standalone(io));
}
