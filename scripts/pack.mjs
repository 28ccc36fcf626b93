// npm run pack [-- DIRECTORY]: the installable package `swarmgate` as one tarball, for Node 22.15 and newer.
// Built JavaScript and types of the command and of the workspaces that it needs (as bundled dependencies), the docs, the OpenAPI
// description and the samples. Other packages are installed by npm, in the versions that the workspaces pin.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureInstalled, ownEnvironment, root } from './install.mjs';

const folders = ['docs', 'examples'];
const scope = '@swarmgate/';

/** Writes the tarball into `directory`. @returns its path. @throws where the build or npm fails */
export function pack(directory) {
  run('tsc', ['-b'], root);
  run(process.execPath, [join(root, 'packages', 'console', 'build.mjs')], root);
  const stage = mkdtempSync(join(tmpdir(), 'swarmgate-pack-'));
  try {
    const workspaces = neededWorkspaces('cli');
    for (const name of workspaces) stageWorkspace(name, stage, placeOf(name, stage));
    for (const folder of folders) cpSync(join(root, folder), join(stage, folder), { recursive: true });
    for (const file of ['LICENSE', 'CHANGELOG.md']) copyFileSync(join(root, file), join(stage, file));
    copyFileSync(join(root, 'packages', 'cli', 'README.md'), join(stage, 'README.md'));
    cpSync(join(root, 'packages', 'cli', 'bin'), join(stage, 'bin'), { recursive: true });
    writeManifest(stage, workspaces);
    mkdirSync(directory, { recursive: true });
    const packed = run('npm', ['pack', '--json', '--pack-destination', directory], stage);
    return join(directory, JSON.parse(packed)[0].filename);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

const manifestOf = (name) => JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'));
const placeOf = (name, stage) => (name === 'cli' ? stage : join(stage, 'node_modules', `${scope}${name}`));

/** The workspace and all that it depends on, directly or not. */
function neededWorkspaces(name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  for (const dependency of Object.keys(manifestOf(name).dependencies ?? {})) {
    if (dependency.startsWith(scope)) neededWorkspaces(dependency.slice(scope.length), found);
  }
  return found;
}

function stageWorkspace(name, stage, place) {
  const built = join(root, 'packages', name, 'dist', 'src');
  // A former build may have left files of sources that are gone.
  const isBuilt = (file) => existsSync(join(root, 'packages', name, 'src', file.replace(/(\.d)?\.[jt]s$/, '.ts')));
  const files = globSync('**/*.{js,d.ts}', { cwd: built }).filter(
    (file) => !/\.test\.|^testing\//.test(file) && isBuilt(file),
  );
  for (const file of files) {
    const to = join(place, 'dist', file);
    mkdirSync(dirname(to), { recursive: true });
    const text = readFileSync(join(built, file), 'utf8').replace(/\n?\/\/# sourceMappingURL=.*$/m, '');
    writeFileSync(to, file.endsWith('.d.ts') ? withBuiltImports(text) : withStagedFiles(text, name, file, stage, to));
  }
  // What is no TypeScript: pages, styles, policies beside the sources.
  const assets = globSync('**/*', { cwd: join(root, 'packages', name, 'src'), withFileTypes: true });
  for (const asset of assets) {
    if (!asset.isFile() || asset.name.endsWith('.ts')) continue;
    const from = join(asset.parentPath, asset.name);
    const to = join(place, 'dist', relative(join(root, 'packages', name, 'src'), from));
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(from, to);
  }
  const bundle = join(root, 'packages', name, 'built');
  if (existsSync(bundle)) cpSync(bundle, join(place, 'built'), { recursive: true });
  if (name === 'cli') return;
  const { version, description, license, exports } = manifestOf(name);
  const entries = Object.entries(exports).filter(([, path]) => !path.includes('/testing/'));
  write(join(place, 'package.json'), {
    name: `${scope}${name}`,
    version,
    description,
    license,
    type: 'module',
    exports: Object.fromEntries(entries.map(([entry, path]) => [entry, builtEntry(path)])),
  });
}

/** Types import each other by the names of the sources, which are not in the package. */
function withBuiltImports(text) {
  return text.replaceAll(/(from |import\()(['"])(\.{1,2}\/[^'"]+)\.ts\2/g, '$1$2$3.js$2');
}

/** `new URL('./x.ts', import.meta.url)` names a file of the repository: where that file, built, is in the package. */
function withStagedFiles(text, name, file, stage, to) {
  const source = join(root, 'packages', name, 'src', file.replace(/\.js$/, '.ts'));
  return text.replaceAll(/new URL\((['"])(\.[^'"]+)\1, import\.meta\.url\)/g, (whole, quote, path) => {
    const target = resolve(dirname(source), path);
    const [first, owner, within, ...rest] = relative(root, target).split('/');
    let staged;
    if (folders.includes(first)) staged = join(stage, relative(root, target));
    else if (first === 'packages' && within === 'package.json') staged = join(placeOf(owner, stage), 'package.json');
    else if (first === 'packages' && within === 'src') {
      staged = join(placeOf(owner, stage), 'dist', ...rest).replace(/\.ts$/, '.js');
    } else if (first === 'packages' && within === 'built') staged = join(placeOf(owner, stage), 'built', ...rest);
    else throw new Error(`${name}/${file}: ${whole} leads to ${relative(root, target)}, which is not in the package`);
    const link = relative(dirname(to), staged) + (path.endsWith('/') ? '/' : '');
    return `new URL(${quote}${link.startsWith('.') ? link : `./${link}`}${quote}, import.meta.url)`;
  });
}

function builtEntry(path) {
  const built = path.replace(/^\.\/src\//, './dist/').replace(/\.ts$/, '');
  return { types: `${built}.d.ts`, default: `${built}.js` };
}

function writeManifest(stage, workspaces) {
  const { name, version, description, license, bin } = manifestOf('cli');
  const bundled = [...workspaces].filter((each) => each !== 'cli').map((each) => `${scope}${each}`);
  const dependencies = {};
  for (const workspace of workspaces) {
    for (const [dependency, pinned] of Object.entries(manifestOf(workspace).dependencies ?? {})) {
      const other = dependencies[dependency];
      if (other !== undefined && other !== pinned)
        throw new Error(`${dependency} is pinned to ${other} and to ${pinned}`);
      dependencies[dependency] = pinned;
    }
  }
  write(join(stage, 'package.json'), {
    name,
    version,
    description,
    license,
    keywords: ['docker', 'swarm', 'reverse-proxy', 'consul', 'load-balancer'],
    type: 'module',
    engines: { node: '>=22.15' },
    bin,
    exports: { '.': builtEntry('./src/index.ts'), './openapi.yaml': './docs/openapi.yaml' },
    dependencies: Object.fromEntries(Object.entries(dependencies).sort(([a], [b]) => (a < b ? -1 : 1))),
    bundleDependencies: bundled,
  });
}

function write(file, value) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`);
}

function run(command, args, cwd) {
  const done = spawnSync(command, args, { cwd, encoding: 'utf8', env: ownEnvironment(), maxBuffer: 64 * 1024 * 1024 });
  if (done.status === 0) return done.stdout;
  throw new Error(`${command} ${args.join(' ')} failed: ${done.error?.message ?? `${done.stdout}${done.stderr}`}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  ensureInstalled();
  console.log(pack(resolve(process.argv[2] ?? join(root, 'dist'))));
}
