import { Tasks } from '@swarmgate/runtime';
import type { ServicesChange } from '../../model/served-service.ts';
import type { CertificateStore } from '../../server/tls/certificate-store.ts';
import { FollowedFolder } from '../plugins/followed-folder.ts';
import { type OwnServingOptions, ownDependencies } from './own-dependencies.ts';
import { prepareRequestServer, type RequestServer } from './request-server.ts';
import { memory, ResourceProblems } from './resource-problems.ts';
import type { Server } from './server.ts';
import { mergeProblems } from './serving-table.ts';

export interface InProcessServerOptions extends OwnServingOptions {
  /** Runs what belongs to no request. Default: tasks whose faults only the log shows. */
  readonly tasks?: Tasks;
}

/** A server whose requests pass through this very process. */
export interface InProcessServer extends Server, Omit<RequestServer, keyof Server> {
  certificates(): CertificateStore;
}

// How often certificate files are looked at.
const lookAgainMs = 5_000;

/** As `prepareInProcessServer`, with its entrypoints open when it resolves. */
export async function startInProcessServer(options: InProcessServerOptions): Promise<InProcessServer> {
  const server = await prepareInProcessServer(options);
  try {
    await server.open();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

/**
 * Serves requests in this process, which is all of the proxy. The ports are taken when it resolves; `open` lets clients in.
 * @throws EntrypointError naming the port that cannot be opened; RangeError for a wrong `TRUSTED_PROXIES`
 */
export async function prepareInProcessServer(options: InProcessServerOptions): Promise<InProcessServer> {
  const tasks = options.tasks ?? new Tasks({ logger: options.logger });
  const own = await ownDependencies(options, tasks);
  const { ownCertificates, challenges, watches, ejectionListeners, numbers } = own;
  const ended = new AbortController();
  const folder = await FollowedFolder.open(options.settings.pluginsDir, options.logger);
  const requests = await prepareRequestServer(options, own);
  const resources = new ResourceProblems([memory()]);
  watches.over(requests.liveTail);
  const following = Promise.all([
    tasks.run('certificate-files', ended.signal, () => ownCertificates.follow(lookAgainMs, ended.signal)),
    tasks.run('plug-in-files', ended.signal, async () => folder?.follow(ended.signal)),
  ]);
  return {
    ...requests,
    async apply(change: ServicesChange) {
      // A service's own certificate is there with its routes.
      ownCertificates.apply(change.changes);
      await requests.apply(change);
    },
    problems: () =>
      mergeProblems(
        requests.relayProblems(),
        ownCertificates.problems(),
        requests.unreachableRoutes(),
        requests.pluginProblems(),
        requests.resourceProblems(),
        requests.protocolProblems(),
        resources.problems(),
      ),
    plugins: () => folder?.view(requests.loadedPlugins() ?? []),
    certificates: () => ownCertificates.store,
    serveChallenges: async (responses) => challenges.replace(responses),
    watchRequests: (watch, onBatch) => watches.add(watch, onBatch),
    async numbers() {
      await requests.reportNumbers();
      return numbers;
    },
    outstanding: () => new Map(requests.endpointsInUse().map(({ id, outstanding }) => [id, outstanding])),
    onEjected(listener) {
      ejectionListeners.add(listener);
      return () => ejectionListeners.delete(listener);
    },
    workers: () => [
      { pid: process.pid, state: ended.signal.aborted ? 'draining' : 'serving', revision: requests.revision() },
    ],
    async stop() {
      ended.abort();
      await requests.stop();
      await following;
    },
  };
}
