// Loaded before everything else: lets a test throw in any guarded callback, named by the place where it was guarded.
import { registerHooks } from 'node:module';

const injection = { seen: new Set(), armed: undefined, fired: 0, firedAt: undefined, again: 0 };
globalThis.faultInjection = injection;

injection.enter = (site) => {
  injection.seen.add(site);
  if (site === injection.firedAt) injection.again += 1;
  if (injection.armed !== site) return;
  injection.armed = undefined;
  injection.fired += 1;
  injection.firedAt = site;
  injection.again = 0;
  throw new Error(`injected at ${site}`);
};

/** Place of the caller's caller: `proxy/src/server/relay/relays.ts:42`. */
injection.site = () => {
  const line = new Error().stack
    .split('\n')
    .find((each) => /\/packages\/.*\/src\//.test(each) && !each.includes('/runtime/src/guard.ts'));
  return /packages\/(.*?:\d+):/.exec(line ?? '')?.[1] ?? 'unknown';
};

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (url.endsWith('/packages/runtime/src/tasks.ts')) {
      const source = Buffer.from(loaded.source)
        .toString('utf8')
        .replace('await work();', 'globalThis.faultInjection.enter(`task ${task}`); await work();');
      if (!source.includes('faultInjection')) throw new Error('tasks.ts has another shape');
      return { ...loaded, source };
    }
    if (!url.endsWith('/packages/runtime/src/guard.ts')) return loaded;
    const source = Buffer.from(loaded.source)
      .toString('utf8')
      .replace(
        '  return (first, second) => {\n    try {\n',
        '  const site = globalThis.faultInjection.site();\n$&      globalThis.faultInjection.enter(site);\n',
      )
      .replace('  return function listener(', '  const site = globalThis.faultInjection.site();\n$&')
      .replace(
        '  return (argument) => {\n    try {\n',
        '  const site = globalThis.faultInjection.site();\n$&      globalThis.faultInjection.enter(site);\n',
      )
      .replace(
        '    try {\n      return callback(owner, argument);',
        '    try {\n      globalThis.faultInjection.enter(site);\n      return callback(owner, argument);',
      )
      .replace(
        '  work.catch(',
        '  const site = globalThis.faultInjection.site();\n  work.then(() => globalThis.faultInjection.enter(site)).catch(',
      );
    if (source.split('faultInjection.enter').length !== 5) throw new Error('guard.ts has another shape');
    return { ...loaded, source };
  },
});
