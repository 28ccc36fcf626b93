export interface Part {
  readonly name: string;
  readonly why: string;
  readonly suites: readonly string[];
  readonly commands: readonly string[];
}
export const parts: readonly Part[];
export function installParts(
  suites?: readonly string[],
): Promise<{ readonly missing: readonly { readonly name: string; readonly suites: readonly string[] }[] }>;
