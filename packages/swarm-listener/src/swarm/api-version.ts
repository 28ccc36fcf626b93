import type { Logger } from '@swarmgate/runtime';

/** The newest version of Docker's API that the test suites have run against: Docker Engine 28.5. */
export const newestTestedApiVersion = '1.51';

/**
 * The version that requests name: the lower of the engine's own and the newest tested one, so that an engine which is newer
 * than this release responds in a form that was tested. `undefined` where the engine names none: requests then carry no
 * version, and the engine takes its own.
 */
export function chooseApiVersion(engine: string | undefined, tested = newestTestedApiVersion): string | undefined {
  if (engine === undefined || !/^\d+\.\d+$/.test(engine)) return undefined;
  return isLower(engine, tested) ? engine : tested;
}

function isLower(left: string, right: string): boolean {
  const [leftMajor = 0, leftMinor = 0] = left.split('.').map(Number);
  const [rightMajor = 0, rightMinor = 0] = right.split('.').map(Number);
  return leftMajor === rightMajor ? leftMinor < rightMinor : leftMajor < rightMajor;
}

/** `used` in requests, `engine` as `/_ping` names it; `undefined`: none. */
export interface ApiVersion {
  readonly used: string | undefined;
  readonly engine: string | undefined;
}

export function logApiVersion(logger: Logger, { used, engine }: ApiVersion): void {
  logger.info({ used, engine, newestTested: newestTestedApiVersion }, "Docker's API version");
}
