// Runs inside the build of the images (Dockerfile), by the base image's Node:
//   node slim.mjs manifests DIRECTORY   leaves of the workspaces only their package.json
//   node slim.mjs modules DIRECTORY     removes from node_modules what no process reads: types, maps, documents
//   node slim.mjs runtime DIRECTORY     a root file system of Node, the libraries that it loads, and the user `node`
import {
  chmodSync,
  copyFileSync,
  globSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const [task, directory] = process.argv.slice(2);
const tasks = { manifests, modules, runtime };
tasks[task](directory);

function manifests(root) {
  remove(root, (path) => !/^[^/]+\/package\.json$/.test(path));
}

function modules(root) {
  remove(
    root,
    (path) => /\.(d\.[cm]?ts|[cm]?ts|map|md|markdown|flow)$/i.test(path) && !/(^|\/)licen[cs]e[^/]*$/i.test(path),
  );
}

function remove(root, isSuperfluous) {
  for (const entry of globSync('**/*', { cwd: root, withFileTypes: true })) {
    if (!entry.isFile() && !entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    if (isSuperfluous(path.slice(join(root, '/').length))) rmSync(path);
  }
}

function runtime(root) {
  const add = (from, to = from) => {
    mkdirSync(dirname(join(root, to)), { recursive: true });
    copyFileSync(realpathSync(from), join(root, to));
  };
  add(process.execPath, '/usr/local/bin/node');
  dropSections(join(root, '/usr/local/bin/node'));
  // The loader by the name in the program's header, which the list of loaded libraries may give by another path.
  const loader = /\/lib[\w/-]*\/ld-[\w.-]+\.so(\.\d+)?/.exec(
    readFileSync(process.execPath, { flag: 'r' }).toString('latin1', 0, 65_536),
  );
  for (const library of [loader?.[0], ...process.report.getReport().sharedObjects]) {
    // The kernel's own (linux-vdso) is no file, and the first of the list is Node itself.
    if (library?.startsWith('/') && library !== process.execPath) add(library);
  }
  const lineOf = (file, name) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => new RegExp(`^(root|${name}):`).test(line));
  mkdirSync(join(root, 'etc'), { recursive: true });
  for (const file of ['/etc/passwd', '/etc/group'])
    writeFileSync(join(root, file), `${lineOf(file, 'node').join('\n')}\n`);
  writeFileSync(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n');
  mkdirSync(join(root, 'tmp'));
  chmodSync(join(root, 'tmp'), 0o1777);
}

/**
 * Ends a 64-bit little-endian ELF program behind its last segment: what follows are symbols for debuggers and the table of
 * sections, a fifth of Node's size, which the kernel and the loader do not read. Other files stay as they are.
 */
function dropSections(file) {
  const program = readFileSync(file);
  const isElf64 = program.readUInt32BE(0) === 0x7f454c46 && program[4] === 2 && program[5] === 1;
  if (!isElf64) return;
  const [tableAt, entryBytes, entries] = [
    Number(program.readBigUInt64LE(32)),
    program.readUInt16LE(54),
    program.readUInt16LE(56),
  ];
  let end = tableAt + entryBytes * entries;
  for (let at = tableAt; at < tableAt + entryBytes * entries; at += entryBytes) {
    end = Math.max(end, Number(program.readBigUInt64LE(at + 8) + program.readBigUInt64LE(at + 32)));
  }
  program.writeBigUInt64LE(0n, 40);
  program.fill(0, 58, 64);
  writeFileSync(file, program.subarray(0, end), { mode: 0o755 });
}
