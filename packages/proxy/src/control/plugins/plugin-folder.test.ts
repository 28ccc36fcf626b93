import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { until } from '../../../test/until.ts';
import { PluginFolder, SettledChanges } from './plugin-folder.ts';

describe('the folder of plug-ins', () => {
  let directory = '';
  let changes = 0;
  let ending: AbortController;
  let following: Promise<void>;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmgate-folder-'));
    await mkdir(join(directory, 'parts'));
    await mkdir(join(directory, 'node_modules', 'one'), { recursive: true });
    await write('mine.mjs', 'a');
    await write('parts/part.mjs', 'a');
    await write('node_modules/.package-lock.json', '{}');
    await write('node_modules/one/index.js', 'a');
    changes = 0;
    ending = new AbortController();
    const folder = await PluginFolder.open(directory, 5);
    following = folder.follow(() => {
      changes += 1;
    }, ending.signal);
  });
  afterEach(async () => {
    ending.abort();
    await following;
    await rm(directory, { recursive: true });
  });

  const at = (path: string) => join(directory, path);
  const write = (path: string, text: string) => writeFile(at(path), text);

  const cases: readonly (readonly [what: string, change: () => Promise<unknown>])[] = [
    ['a file with other content', () => write('mine.mjs', 'longer')],
    ['a file of the same length and another time', () => utimes(at('mine.mjs'), 1, 1)],
    ['a new file', () => write('other.mjs', 'a')],
    ['a removed file', () => rm(at('mine.mjs'))],
    ['a renamed file', () => rename(at('mine.mjs'), at('yours.mjs'))],
    ['a link in its place', async () => rm(at('mine.mjs')).then(() => symlink('parts/part.mjs', at('mine.mjs')))],
    ['a file of a folder', () => write('parts/part.mjs', 'longer')],
    ['packages that npm installs', () => write('node_modules/.package-lock.json', '{ "a": 1 }')],
  ];
  for (const [what, change] of cases)
    it(`reports ${what}, once`, async () => {
      await change();
      await until(() => changes > 0, 'the change');
      await write('last.mjs', 'a');
      await until(() => changes > 1, 'the next change');
      expect(changes).to.equal(2);
    });

  it('is followed from when it was opened: workers may have imported the files since', async () => {
    const folder = await PluginFolder.open(directory, 5);
    await write('mine.mjs', 'longer');
    const over = new AbortController();
    await folder.follow(() => over.abort(), over.signal);
  });
});

describe('changes that have settled', () => {
  const looks: readonly (readonly [what: string, seen: string, found: string])[] = [
    ['nothing changes', 'aaaa', '----'],
    ['one change, in the second look at it', 'abbb', '--x-'],
    ['a file that is being written', 'abcde', '-----'],
    ['the same, when it is done', 'abcdd', '----x'],
    ['a change that is taken back at once', 'abaa', '----'],
    ['a change that is taken back later', 'abbaa', '--x-x'],
    ['a change while another was acted upon', 'abbcc', '--x-x'],
  ];
  for (const [what, seen, found] of looks)
    it(what, () => {
      const changes = new SettledChanges('a');
      expect([...seen].map((each) => (changes.look(each) ? 'x' : '-')).join('')).to.equal(found);
    });
});
