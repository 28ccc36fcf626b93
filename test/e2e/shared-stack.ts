import { type DeployedStack, deployStack } from '../harness/stack.ts';

let deployed: DeployedStack | undefined;

/** The one stack that all end-to-end tests share; tests name and remove the services that they create. */
export function sharedStack(): DeployedStack {
  if (deployed === undefined) throw new Error('run end-to-end tests with --config test/mocharc.e2e.json');
  return deployed;
}

/** Mocha's root hooks: test/mocharc.e2e.json requires this file. */
export const mochaHooks = {
  async beforeAll(this: Mocha.Context) {
    this.timeout(600_000);
    const startedAt = performance.now();
    deployed = await deployStack();
    // A run that is ended from outside skips mocha's hooks, and the stack would be left running.
    process.once('SIGTERM', () => {
      void deployed?.remove().finally(() => process.exit(143));
    });
    console.log(`    the stack serves after ${((performance.now() - startedAt) / 1000).toFixed(1)} s, images included`);
  },
  async afterAll(this: Mocha.Context) {
    this.timeout(180_000);
    await deployed?.remove();
  },
};

/** Labels of a service that is served under one path from port 8080. */
export const pathLabels = (path: string) => ({
  'com.df.notify': 'true',
  'com.df.servicePath': path,
  'com.df.port': '8080',
});
