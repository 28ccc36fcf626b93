import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spreadOf } from '../forwarding/statistics.ts';
import type { Figure } from '../routing.ts';

const program = fileURLToPath(new URL('../../../packages/cli/bin/swarmgate.mjs', import.meta.url));
const promisedMs = 350;
const stack = `services:
  shop:
    image: shop
    deploy:
      labels:
        - com.df.notify=true
        - com.df.servicePath=/shop
        - com.df.port=8080
`;

/** What one line of the operator takes, of all commands the slowest: its help, and the command where nothing responds. */
export async function commandFigures(times: number): Promise<readonly Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), 'swarmgate-commands-'));
  try {
    const file = join(directory, 'stack.yml');
    writeFileSync(file, stack);
    const env = { PATH: process.env.PATH, XDG_CACHE_HOME: directory, SWARMGATE_URL: await closedAddress() };
    const run = (args: readonly string[]) => {
      const began = performance.now();
      const { stderr, status } = spawnSync(process.execPath, [program, ...args], { env, encoding: 'utf8' });
      if (status === null || stderr.includes('    at ')) throw new Error(`swarmgate ${args.join(' ')}: ${stderr}`);
      return performance.now() - began;
    };
    const slowest = (name: string, lines: readonly (readonly string[])[]): Figure => {
      const spreads = lines.map((args) => {
        run(args);
        return { args, ...spreadOf(Array.from({ length: times }, () => run(args))) };
      });
      const { args, ...spread } = spreads.reduce((one, other) => (other.median > one.median ? other : one));
      return { name: `${name} (${args[0]})`, unit: 'ms', ...spread, atMost: promisedMs };
    };
    const commands = commandsOf(spawnSync(process.execPath, [program, '--help'], { env, encoding: 'utf8' }).stdout);
    return [
      slowest('help, the slowest command', [['--help'], ...commands.map((each) => [each, '--help'])]),
      slowest('a call of a proxy, the slowest command', [
        ['status'],
        ['routes'],
        ['explain', 'http://shop.example/'],
        ['problems'],
        ['certificates'],
        ['history', 'shop'],
        ['rollback', 'shop', '1'],
        ['restore'],
        ['maintenance'],
        ['reconfigure', 'shop', 'servicePath=/shop'],
        ['remove', 'shop'],
        ['reload'],
        ['adopt'],
        ['top', '--count', '1'],
        ['tail'],
      ]),
      slowest('a stack file, the slowest command', [
        ['check', file, '--url', ''].slice(0, 2),
        ['diff', file],
        ['convert', file],
      ]),
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function commandsOf(help: string): readonly string[] {
  const [, list = ''] = help.split(/^Commands:$/m);
  const names = [...list.matchAll(/^ {2}([a-z]+)\b/gm)].map(([, name = '']) => name);
  return names.filter((each) => each !== 'help');
}

/** Where nothing listens: what is measured is the command, not what responds to it. */
async function closedAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}
