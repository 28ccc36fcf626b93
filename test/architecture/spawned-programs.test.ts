import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { parts } from '../../scripts/setup/install-parts.mjs';
import { root } from './imports.ts';

/** Essential packages of Debian, and what comes with Node. */
const everywhere = ['bash', 'ldd', 'mkfifo', 'nice', 'npm', 'npx', 'sh', 'sleep', 'tar', 'truncate'];

const call = /(?<![\w.])(?:spawn|spawnSync|execFile|execFileSync|programPath|isInstalled)\(\s*'([\w.-]+)'/g;
/** `run` is this where the file makes it of `execFile`. */
const callOfRun = /(?<![\w.])run\(\s*'([\w.-]+)'/g;
/** A command line that is written before it is run: the program, then an option. */
const commandLine = /(?:=|\?|:|return) \[\s*'([a-z][\w.-]*)',\s*(?:[a-z]\w*, )?['`][-\w]/g;
/** Begin such a list too, but are arguments. */
const noPrograms = ['install'];

function programsOf(text: string): ReadonlySet<string> {
  const found = [...text.matchAll(call)];
  if (text.includes('promisify(execFile)')) found.push(...text.matchAll(callOfRun));
  if (/node:child_process|through/.test(text)) {
    const options = (match: RegExpExecArray) => /^[^\]]*['`]-/.test(text.slice(match.index));
    found.push(...[...text.matchAll(commandLine)].filter(options));
  }
  return new Set(found.map(([, name = '']) => name).filter((name) => !noPrograms.includes(name)));
}

describe('programs that tests and benchmarks start', () => {
  const files = globSync(['test/**/*.ts', 'packages/*/{src,test}/**/*.test.ts'], {
    cwd: root,
    exclude: (name) => name === 'node_modules',
  }).map((file) => file.replaceAll('\\', '/'));
  const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));

  /** The suites that run a file: its own, or those of the files that import it. */
  function suitesOf(file: string, seen: ReadonlySet<string> = new Set()): readonly string[] {
    const own = /^test\/(integration|e2e|faults|bench)\//.exec(file)?.[1];
    if (own !== undefined) return [own];
    if (/\.(process|slow|fuzz)\.test\.ts$/.test(file)) return ['integration'];
    const importing = files.filter((each) => !seen.has(each) && texts.get(each)?.includes(`/${basename(file)}'`));
    return [...new Set(importing.flatMap((each) => suitesOf(each, new Set([...seen, file]))))];
  }

  const started = files.flatMap((file) => {
    const programs = [...programsOf(texts.get(file) ?? '')];
    if (programs.length === 0) return [];
    const suites = suitesOf(file);
    return programs.map((program) => ({ file, suites, program }));
  });

  it('are parts that install-parts.mjs installs for their suites', () => {
    const missing = started
      .filter(({ program }) => !everywhere.includes(program))
      .flatMap(({ file, suites, program }) => {
        const installed = parts.filter(({ commands }) => commands.includes(program)).flatMap((part) => part.suites);
        const lacking = installed.length === 0 ? ['any suite'] : suites.filter((suite) => !installed.includes(suite));
        return lacking.map((suite) => `${program} (${suite}): ${file}`);
      });
    expect(missing).to.deep.equal([]);
  });

  it('are found in calls, in promisified calls and in command lines', () => {
    const programs = new Set(started.map(({ program }) => program));
    expect([...programs]).to.include.members([
      'h2load',
      'wrk',
      'promtool',
      'mkfs.ext4',
      'prlimit',
      'chromium',
      'caddy',
    ]);
  });
});
