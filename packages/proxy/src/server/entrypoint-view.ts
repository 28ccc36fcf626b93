/** What `/v1/status` shows of one port. */
export type EntrypointView =
  | { readonly port: number; readonly secure: boolean; readonly state: 'open'; readonly address: string }
  | { readonly port: number; readonly secure: boolean; readonly state: 'closed'; readonly reason: string };
