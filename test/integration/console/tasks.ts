import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { type ConsoleRig, logIn } from './console-rig.ts';

export interface TaskStep {
  /** As docs/console.md writes it. */
  readonly words: string;
  readonly act: (page: Page) => Promise<void>;
}

/** What an operator comes to the console for, from its first page. */
export interface Task {
  readonly title: string;
  /** Name of its picture, without the ending, and the step that it is made after. */
  readonly picture: string;
  readonly pictureAfter: number;
  readonly prepare: (rig: ConsoleRig) => Promise<void>;
  /** Three at most. */
  readonly steps: readonly TaskStep[];
  /** What the task is for holds now. */
  readonly check: (rig: ConsoleRig) => Promise<void>;
}

async function visits(rig: ConsoleRig, path: string, times: number): Promise<void> {
  for (let at = 0; at < times; at += 1) await (await rig.visit(path)).text();
}

export const tasks: readonly Task[] = [
  {
    title: 'Why does this URL get 503?',
    picture: 'console-task-503',
    pictureAfter: 3,
    async prepare(rig) {
      await rig.publish('wiki', { serviceDomain: ['wiki.example'] });
    },
    steps: [
      { words: 'Explain', act: (page) => page.getByRole('link', { name: 'Explain' }).click() },
      {
        words: 'enter the URL, and “Explain”',
        async act(page) {
          await page.getByLabel('URL').fill('http://intranet.example/wiki/start');
          await page.getByRole('button', { name: 'Explain' }).click();
        },
      },
      {
        words:
          'the heading is the route that takes it, with its endpoints, or the reason; below, why each other route does not',
        async act(page) {
          await page.getByRole('heading', { name: '503 no-route' }).waitFor();
          await page.getByText('host is intranet.example, not wiki.example').waitFor();
        },
      },
    ],
    async check(rig) {
      expect((await rig.visit('/wiki/start')).status).to.equal(503);
    },
  },
  {
    title: 'Which service is slow?',
    picture: 'console-task-slow',
    pictureAfter: 3,
    async prepare(rig) {
      await rig.publish('reports', { servicePath: ['/reports'] });
      await visits(rig, '/shop', 20);
      await visits(rig, '/reports/slow', 5);
    },
    steps: [
      { words: 'Services', act: (page) => page.getByRole('link', { name: 'Services' }).click() },
      {
        words: '“p99” sorts them, the slowest first',
        act: (page) => page.getByRole('button', { name: 'p99' }).click(),
      },
      {
        words: 'the service at the top',
        act: (page) =>
          page.locator('tbody tr:not(.spacer)').first().getByRole('link', { name: 'reports', exact: true }).waitFor(),
      },
    ],
    check: async () => undefined,
  },
  {
    title: 'Undo the last change',
    picture: 'console-task-undo',
    pictureAfter: 2,
    async prepare(rig) {
      await rig.publish('blog');
      await rig.publish('blog', { servicePath: ['/wrong'] });
    },
    steps: [
      {
        words: 'Services → the service',
        act: (page) => page.getByRole('link', { name: 'blog', exact: true }).click(),
      },
      {
        words: '“Roll back” at the newest entry shows what changes',
        act: (page) =>
          page
            .getByRole('button', { name: /^Roll back to #/ })
            .first()
            .click(),
      },
      {
        words: '“Serve again” waits until every replica does',
        async act(page) {
          await page.getByRole('button', { name: /^Serve #\d+ again/ }).click();
          await page.getByRole('link', { name: '*/blog' }).waitFor();
        },
      },
    ],
    async check(rig) {
      expect([(await rig.visit('/blog')).status, (await rig.visit('/wrong')).status]).to.deep.equal([200, 503]);
    },
  },
  {
    title: 'Take a service down for maintenance',
    picture: 'console-task-maintenance',
    pictureAfter: 2,
    prepare: (rig) => rig.publish('tickets'),
    steps: [
      {
        words: 'Services → the service',
        act: (page) => page.getByRole('link', { name: 'tickets', exact: true }).click(),
      },
      {
        words: '“Take down for maintenance” → how long, and the message for its visitors',
        async act(page) {
          await page.getByRole('button', { name: 'Take down for maintenance' }).click();
          await page.getByLabel('Message for clients').fill('Back at ten.');
        },
      },
      {
        words: '“Take … down” waits until every replica serves the page',
        async act(page) {
          await page.getByRole('button', { name: 'Take tickets down' }).click();
          await page.getByText('In maintenance').first().waitFor();
        },
      },
    ],
    async check(rig) {
      expect((await rig.visit('/tickets')).status).to.equal(503);
    },
  },
  {
    title: 'Add a host outside the Swarm',
    picture: 'console-task-outside',
    pictureAfter: 2,
    prepare: async () => undefined,
    steps: [
      {
        words: 'Add a service → fill in the form',
        async act(page) {
          await page.getByRole('link', { name: 'Add a service' }).click();
          await page.getByLabel('Name').fill('printers');
          await page.getByLabel('Host').fill('printers.example');
          await page.getByLabel('Path').fill('/printers');
          await page.getByLabel('Address of the service').fill('10.0.0.7:8080');
        },
      },
      {
        words: '“Show what changes”',
        async act(page) {
          await page.getByRole('button', { name: 'Show what changes' }).click();
          await page.getByRole('heading', { name: 'It is new' }).waitFor();
        },
      },
      {
        words: '“Save” waits until every replica serves it',
        async act(page) {
          await page.getByRole('button', { name: 'Save' }).click();
          await page.getByRole('link', { name: 'Show it' }).waitFor();
        },
      },
    ],
    async check(rig) {
      const { body } = await rig.under.call('GET', '/v1/explain?url=http://printers.example/printers', {
        headers: { authorization: 'Bearer s3cret-of-the-console' },
      });
      expect(body.winner).to.include({ id: 'manual/printers/0' });
    },
  },
];

/** Runs one task from the console's first page. @param onStep called when a step is done */
export async function runTask(
  task: Task,
  page: Page,
  rig: ConsoleRig,
  onStep: (step: number) => Promise<void> = async () => undefined,
): Promise<void> {
  await task.prepare(rig);
  await logIn(page, rig.url);
  for (const [at, { act }] of task.steps.entries()) {
    await act(page);
    await onStep(at + 1);
  }
  await task.check(rig);
}
