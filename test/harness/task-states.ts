import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type Docker from 'dockerode';

const run = promisify(execFile);
const shownLines = 15;

/** The tasks of all services of a stack, newest first, each with its state, its error and the last lines of its log: for a failure's text. */
export async function describeTasks(docker: Docker, stack: string): Promise<string> {
  const services = await docker.listServices({ filters: { name: [stack] } });
  const lines: string[] = [];
  for (const service of services) {
    const tasks = (await docker.listTasks({ filters: { service: [service.ID] } })) as readonly Task[];
    lines.push(`${service.Spec?.Name}: ${tasks.length === 0 ? 'no task' : ''}`);
    for (const { DesiredState, Status } of tasks.slice(0, 3)) {
      lines.push(`  ${DesiredState}: ${Status.State} since ${Status.Timestamp} ${Status.Err ?? Status.Message ?? ''}`);
      const id = Status.ContainerStatus?.ContainerID;
      if (id !== undefined && id !== '') lines.push(...(await lastLines(id)));
    }
  }
  return lines.join('\n');
}

async function lastLines(container: string): Promise<readonly string[]> {
  const logs = await run('docker', ['logs', '--tail', String(shownLines), container]).catch((error: unknown) => ({
    stdout: '',
    stderr: String(error),
  }));
  return `${logs.stdout}${logs.stderr}`
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [`    ${line.slice(0, 300)}`]));
}

interface Task {
  readonly DesiredState: string;
  readonly Status: {
    readonly State: string;
    readonly Timestamp: string;
    readonly Err?: string;
    readonly Message?: string;
    readonly ContainerStatus?: { readonly ContainerID?: string };
  };
}
