/** Plug-ins whose requests this process refuses with 503 `plugin-suspended`, as the control process has it. */
export class SuspendedNames {
  #names: ReadonlySet<string> = new Set();

  has(plugin: string): boolean {
    return this.#names.has(plugin);
  }

  replace(names: readonly string[]): void {
    this.#names = new Set(names);
  }
}
