/** The result of counting a request. `retryAfterMs` is set if it exceeds the limit. */
export type Count =
  /** `remaining`: requests that the window has left; `resetsAfterMs`: when it ends. */
  | { readonly ok: true; readonly remaining: number; readonly resetsAfterMs: number }
  | { readonly ok: false; readonly retryAfterMs: number };
