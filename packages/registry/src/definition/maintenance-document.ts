/**
 * Maintenance of one service and drained endpoints of it, as operators set them: `<instance>/maintenance/<owner>/<service>`.
 * It stays when the service is published again, and ends by its time or by an operator.
 */
export interface MaintenanceDocument {
  readonly version: 1;
  readonly service: string;
  readonly owner: string;
  /** Absent: the service takes requests. */
  readonly maintenance?: ServiceMaintenance;
  /** At most 200. */
  readonly drains?: readonly EndpointDrain[];
  /** What has ended, the newest first. At most ten. */
  readonly ended?: readonly EndedMaintenance[];
}

export interface ServiceMaintenance extends MaintenancePage {
  /** Who set it: `REST from 10.0.0.7`. */
  readonly by: string;
  /** ISO 8601, by the clock of the replica that was called. */
  readonly since: string;
  /** ISO 8601. From here on each replica takes requests again, by its own clock. Absent: until an operator ends it. */
  readonly until?: string;
}

/** How requests are served meanwhile. */
export interface MaintenancePage {
  /** One sentence for clients. At most 2,000 characters. */
  readonly message?: string;
  /** HTML for clients that prefer it. At most 64 KiB. */
  readonly page?: string;
  /** `Retry-After`, in milliseconds. Absent: what is left until the end, else 120,000. */
  readonly retryAfterMs?: number;
  /** Networks whose clients reach the service meanwhile. At most 100. */
  readonly except?: readonly string[];
}

/** An endpoint that takes no new requests. It ends when its task goes, or by an operator. */
export interface EndpointDrain {
  readonly host: string;
  /** Absent: every port of the host. */
  readonly port?: number;
  /** The task that had the address: the drain ends with it. Absent where the registry names no task for the address. */
  readonly taskId?: string;
  readonly by: string;
  readonly since: string;
  /** ISO 8601. Upgraded and relayed connections to it that are still open then are ended. Absent: they end by themselves. */
  readonly tunnelsUntil?: string;
}

export interface EndedMaintenance {
  /** Address of the endpoint; absent: the whole service. */
  readonly endpoint?: string;
  readonly by: string;
  readonly since: string;
  readonly endedAt: string;
  readonly endedBy: string;
}

export const maintenanceBounds = {
  messageCharacters: 2_000,
  pageBytes: 64 * 1024,
  retryAfterMs: 7 * 24 * 3_600_000,
  exceptions: 100,
  drains: 200,
  ended: 10,
} as const;
