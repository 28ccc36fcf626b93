import type { PluginView } from '../../express/plugins/route-plugins.ts';

/** The plug-ins of a proxy, as its status shows them. */
export interface PluginsView {
  /**
   * `current`: what runs is what `PLUGINS_DIR` holds. `replacing`: it has changed, and workers are replaced. `refused`: what it
   * holds now cannot be used, so workers keep what they have. `restart-needed`: it has changed, and there are no workers.
   */
  readonly state: 'current' | 'replacing' | 'refused' | 'restart-needed';
  /** Why, where `refused`. */
  readonly reason?: string;
  readonly files: readonly ShownPlugin[];
}

export interface ShownPlugin extends PluginView {
  /** It has blocked workers: its requests get 503 for a while. */
  readonly suspended?: true;
}
