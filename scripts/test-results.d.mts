export const mostFilesAgain: number;

export interface FileResult {
  readonly passed: number;
  readonly failed: number;
  readonly tookMs: number;
}
/** Of one part; `file` is left out where a hook of the whole run failed. */
export interface Result {
  readonly passed: number;
  readonly failed: number;
  readonly failures: readonly { readonly file?: string | undefined; readonly title: string; readonly reason: string }[];
  readonly files: Readonly<Record<string, FileResult>>;
}
export interface Part {
  readonly suite: string;
  readonly title: string;
  readonly files?: readonly string[] | undefined;
}
export interface Again {
  readonly part: Part;
  readonly file?: string | undefined;
  readonly again: Part;
}
export class TestResults {
  readonly passed: number;
  readonly failed: number;
  readonly failures: readonly { readonly title: string; readonly reason: string }[];
  readonly unstable: readonly { readonly title: string; readonly reason: string }[];
  readonly took: { readonly file: string; readonly tookMs: number }[];
  count(title: string, passed: boolean, reason?: string): void;
  add(part: Part, result: Result): void;
  toRunAgain(): readonly Again[];
  addAgain(what: Again, result: Result | undefined): void;
}
