import { faultsIn, type Mutant } from './mutant.ts';

const express = 'packages/proxy/src/express/plugins';
const control = 'packages/proxy/src/control/plugins';
const changed = 'packages/proxy/test/plugins/changed-plugins.process.test.ts';
const blocking = 'packages/proxy/test/plugins/blocking-plugins.process.test.ts';

/** What a plug-in may cost, and what becomes of it. Not its thread and its workers: faults are planted in one process. */
export const pluginMutants: readonly Mutant[] = [
  ...faultsIn(
    `${control}/suspended-plugins.ts`,
    [`${control}/suspended-plugins.test.ts`],
    [
      ['a plug-in is suspended for one worker', 'const mostBlocks = 3;', 'const mostBlocks = 1;'],
      ['blocks of another hour count', 'atMs > now - countedMs', 'atMs >= 0'],
      ['a suspended plug-in never runs again', 'untilMs <= this.#now()', 'untilMs < 0'],
    ],
  ),
  ...faultsIn(
    `${control}/plugin-folder.ts`,
    [`${control}/plugin-folder.test.ts`],
    [
      [
        'a file that is half written reaches the workers',
        'const isSettled = now === this.#before;',
        'const isSettled = true;',
      ],
      ['a change of the same length is not found', '${size} ${mtimeMs}', '${size}'],
      [
        'files that a plug-in imports are not looked at',
        'entry.isDirectory()) folders.push(path);',
        'entry.isDirectory()) continue;',
      ],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/control/workers/plugin-control.ts',
    [changed],
    [
      ['files that cannot be used reach the workers', 'if (faults.length > 0) {', 'if (faults.length > 9) {'],
      ['a fault of the start keeps every change out', '!known.has(identityOf(fault))', 'known.size >= 0'],
      ['a broken file that no route names is not reported', "keys.length === 0 ? ['env/plug-ins'] : keys", 'keys'],
      [
        'an operator who replaces workers learns of the refusal on',
        'replaced(): void {',
        'replaced(): void {\n    if (this.#state.kind === "refused") return;',
      ],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/control/workers/plugin-control.ts',
    [blocking],
    [
      ['a plug-in that blocks again and again goes on', 'if (isNew) {', 'if (isNew && plugin === "") {'],
      ['the plug-in that blocked is not reported', 'this.#failures.addBlocked(key, report)', 'void key'],
    ],
  ),
  ...faultsIn(
    `${control}/check-plugins.ts`,
    [changed],
    [
      [
        'a plug-in that ends its process reaches the workers',
        'faults ?? [{ plugin, message:',
        'faults ?? [] ?? [{ plugin, message:',
      ],
    ],
  ),
  ...faultsIn(
    `${express}/load-plugins.ts`,
    [`${express}/load-plugins.test.ts`],
    [
      [
        'of two files of one name one is taken',
        'if (other === undefined) found.set(',
        'if (other !== null) found.set(',
      ],
      ['a file that never ends keeps the proxy from its start', 'if (inVain) throw', 'if (!inVain) throw'],
      ['parts of plug-ins are plug-ins', ' && isPluginName(parse(entry.name).name)', ''],
    ],
  ),
  ...faultsIn(
    `${express}/route-plugins.ts`,
    [`${express}/route-plugins.test.ts`],
    [
      ['each route has a limiter of its own', '      this.#instances.set(key, instance);\n', ''],
      ['stores of routes that are gone stay connected', '      instance.ending.abort();\n', ''],
      [
        'a route loses its store as it changes',
        '    clearTimeout(instance.timer);\n    return instance;',
        '    return instance;',
      ],
      [
        'the rest of the plug-ins runs where one cannot',
        ': [blocked]',
        ': made.flatMap((each) => (each.ok ? each.handlers : []))',
      ],
      [
        'a service is blamed for a plug-in that it named before',
        'if (uses.length === 0) this.#uses.delete(key);',
        'if (uses.length === 0) void key;',
      ],
    ],
  ),
  ...faultsIn(
    `${express}/make-plugin.ts`,
    [`${express}/route-plugins.test.ts`],
    [['a plug-in changes the options of the other routes', 'Object.freeze({ ...options })', 'options']],
  ),
  ...faultsIn(
    `${express}/plugin-failures.ts`,
    [`${express}/plugin-failures.test.ts`],
    [
      ['each request brings another problem', 'known.untilMs > this.#now()', 'known.untilMs < this.#now()'],
      ['a failure is reported for ever', 'if (untilMs <= this.#now()) failures.delete(plugin);', ''],
    ],
  ),
  ...faultsIn(
    `${express}/plugin-handler.ts`,
    [`${express}/plugin-handler.test.ts`],
    [
      ['a suspended plug-in runs', 'if (observer.isSuspended(plugin)) {', 'if (observer === undefined) {'],
      [
        'a request that has its response is forwarded',
        'else if (response.headersSent || response.writableEnded) {',
        'else if (view === undefined) {',
      ],
      [
        'a second call of next forwards again',
        'else if (passed) observer',
        'else if (passed && view === undefined) observer',
      ],
      [
        "next('router') passes the plug-ins behind, which may restrict access",
        '} else passOn(undefined);',
        '} else passOn(error);',
      ],
      [
        'a rejected promise keeps its request waiting',
        'if (result instanceof Promise) result.then(undefined, fail);',
        'if (result instanceof Promise) return;',
      ],
      [
        'an app leaves its methods to what comes behind it',
        'Object.setPrototypeOf(request, requestMethods);',
        'void requestMethods;',
      ],
    ],
  ),
];
