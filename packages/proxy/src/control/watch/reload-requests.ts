import { randomUUID } from 'node:crypto';
import type { KeyLayout, KeyValueStore } from '@swarmgate/registry';
import { backoffMs, isName, type Logger, pause, type Running, type Tasks } from '@swarmgate/runtime';
import { z } from 'zod';

/** Makes every proxy of the instance read everything again, whichever of them received the call. */
export interface ReloadRequest {
  readonly id: string;
  /** Also lets go of held services. */
  readonly force: boolean;
  readonly owner?: string | undefined;
  /** The caller and the replica that received the call. */
  readonly by: string;
  readonly replica: string;
}

/** As in other documents: what is longer is none of ours, and stands in a line of the log. */
const text = z.string().min(1).max(300);
const requestSchema = z.object({
  id: text,
  force: z.boolean(),
  owner: z.string().refine(isName).optional(),
  by: text,
  replica: text,
});

export interface ReloadRequestsOptions {
  readonly store: KeyValueStore;
  readonly layout: KeyLayout;
  readonly replica: string;
  readonly logger: Logger;
  readonly tasks: Pick<Tasks, 'run'>;
  /** Carries out a reload that another replica got the call for. */
  readonly onRequest: (request: ReloadRequest) => Promise<void>;
}

/** Follows the key through which a reload reaches every replica. A value from before the start is ignored. */
export class ReloadRequests implements Running {
  readonly #options: ReloadRequestsOptions;
  readonly #ending = new AbortController();
  readonly #following: Promise<void>;

  constructor(options: ReloadRequestsOptions) {
    this.#options = options;
    this.#following = options.tasks.run('reload-requests', this.#ending.signal, () => this.#follow());
  }

  /** @returns the id by which replicas report that they carried it out. @throws RegistryError */
  async send(what: Pick<ReloadRequest, 'force' | 'owner' | 'by'>, signal: AbortSignal): Promise<string> {
    const { store, layout, replica } = this.#options;
    const request: ReloadRequest = { id: randomUUID(), ...what, replica };
    await store.transact([{ kind: 'set', key: layout.reload, value: JSON.stringify(request, undefined, 2) }], signal);
    return request.id;
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#following;
  }

  async #follow(): Promise<void> {
    const { store, layout, logger } = this.#options;
    const { signal } = this.#ending;
    let index = 0;
    let lastId: string | undefined;
    let isFirst = true;
    let attempt = 0;
    while (!signal.aborted) {
      try {
        const response = await store.waitForKey(layout.reload, index, signal);
        attempt = 0;
        const isNew = response.index !== index;
        index = response.index < index ? 0 : response.index;
        const request = parse(response.data?.value);
        if (isFirst) lastId = request?.id;
        else if (request !== undefined && request.id !== lastId) {
          lastId = request.id;
          await this.#carryOut(request);
        }
        isFirst = false;
        // On a missing key Consul responds for writes anywhere; the pause keeps that from becoming a busy loop.
        if (isNew && response.data === undefined) await pause(250, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (attempt === 0) logger.debug({ err: error }, 'reload requests cannot be followed at present');
        index = 0;
        await pause(backoffMs(attempt, 100, 2_000), signal);
        attempt += 1;
      }
    }
  }

  async #carryOut(request: ReloadRequest): Promise<void> {
    const { replica, logger, onRequest } = this.#options;
    if (request.replica === replica) return;
    logger.info({ by: request.by, through: request.replica, force: request.force }, 'reload was requested');
    try {
      await onRequest(request);
    } catch (error) {
      logger.warn({ err: error }, 'the reload could not be carried out');
    }
  }
}

function parse(value: string | undefined): ReloadRequest | undefined {
  if (value === undefined) return undefined;
  try {
    const parsed = requestSchema.safeParse(JSON.parse(value));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
