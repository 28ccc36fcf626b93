import {
  createService,
  type DockerEngine,
  importNodeImage,
  removeNetwork,
  removeService,
  updateService,
} from '../../harness/docker.ts';

/** Where a suite deploys: services on a network of its own, seen by its listener only. */
export interface DeployTarget {
  readonly engine: DockerEngine;
  readonly network: string;
  readonly notifyLabel: string;
}

/** A service of one task, published under `/one` from port 8080. @returns its id */
export async function deployOne({ engine, network, notifyLabel }: DeployTarget, name: string): Promise<string> {
  return createService(engine.docker, {
    name,
    image: await importNodeImage(engine.docker),
    networks: [network],
    labels: { [notifyLabel]: 'true', 'com.df.servicePath': '/one', 'com.df.port': '8080' },
  });
}

export function setPath(engine: DockerEngine, id: string, path: string): Promise<void> {
  return updateService(engine.docker, id, (spec) => ({
    ...spec,
    Labels: { ...spec.Labels, 'com.df.servicePath': path },
  }));
}

/** Removes what a suite deployed, and ends the engine where the suite started it. */
export async function removeDeployed(
  engine: DockerEngine,
  network: string,
  services: readonly string[],
): Promise<void> {
  for (const id of services) await removeService(engine.docker, id);
  await removeNetwork(engine.docker, network);
  await engine.stopIfStartedHere();
}
