import type { Logger } from '@swarmgate/runtime';
import type { PluginView } from '../../express/plugins/route-plugins.ts';
import { PluginFolder } from './plugin-folder.ts';
import type { PluginsView } from './plugins-view.ts';

/** `PLUGINS_DIR` of a process without workers: it has to be restarted where files have changed. */
export class FollowedFolder {
  readonly #folder: PluginFolder;
  readonly #directory: string;
  readonly #logger: Logger;
  #hasChanged = false;

  private constructor(folder: PluginFolder, directory: string, logger: Logger) {
    this.#folder = folder;
    this.#directory = directory;
    this.#logger = logger;
  }

  /** @returns `undefined` without a folder */
  static async open(directory: string | undefined, logger: Logger): Promise<FollowedFolder | undefined> {
    if (directory === undefined) return undefined;
    return new FollowedFolder(await PluginFolder.open(directory), directory, logger);
  }

  follow(signal: AbortSignal): Promise<void> {
    return this.#folder.follow(() => this.#changed(), signal);
  }

  view(files: readonly PluginView[]): PluginsView {
    return { state: this.#hasChanged ? 'restart-needed' : 'current', files };
  }

  #changed(): void {
    this.#hasChanged = true;
    this.#logger.warn(
      { pluginsDir: this.#directory },
      'plug-ins have changed: they are used after a restart of the proxy',
    );
  }
}
