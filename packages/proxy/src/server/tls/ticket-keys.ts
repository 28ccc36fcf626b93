/** Keys that session tickets are encrypted with: all workers of one proxy use the same, so that any of them resumes. */
export interface TicketKeys {
  /** 48 bytes. */
  readonly current: Buffer;
  /** Calls after every rotation. */
  onChange(follower: () => void): () => void;
}
