import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { withPage } from '../../harness/browser.ts';
import { complaintsOf, useConsole } from './console-rig.ts';
import { runTask, tasks } from './tasks.ts';

describe('what an operator comes to the console for', function () {
  this.timeout(180_000);
  const rig = useConsole('shop');
  const page = readFileSync(new URL('../../../docs/console.md', import.meta.url), 'utf8').replace(/\s+/g, ' ');

  for (const task of tasks)
    it(`${task.title} takes three steps at most, as docs/console.md writes them`, () =>
      withPage(async (tab) => {
        tab.setDefaultTimeout(60_000);
        const complaints = complaintsOf(tab);
        await runTask(task, tab, rig());
        expect(complaints).to.deep.equal([]);
        expect(task.steps.length).to.be.at.most(3);
        const written = `### ${task.title} ${task.steps.map(({ words }, at) => `${at + 1}. ${words}`).join(' ')}`;
        expect(page).to.include(written);
        expect(page).to.include(`images/${task.picture}.png`);
      }));
});
