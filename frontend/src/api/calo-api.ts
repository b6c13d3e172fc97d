/** The API's calls. Each resolves with what the contract says, or rejects with an ApiError. */

import createClient from "openapi-fetch";
import { ApiError, refusal, unreachable } from "./api-error";
import type { paths } from "./schema";
import type { Job, JobPage, JobRequest, Place, Stats } from "./types";

export const PAGE_SIZE = 24;

const TIMEOUT_MS = 15_000;

interface Outcome<T> {
  data?: T | undefined;
  error?: unknown;
  response: Response;
}

export class CaloApi {
  readonly #baseUrl: string;
  readonly #client;

  constructor(baseUrl: string) {
    this.#baseUrl = baseUrl;
    this.#client = createClient<paths>({ baseUrl });
  }

  jobs(place: Place, signal: AbortSignal): Promise<JobPage> {
    const { status, page, cursor } = place;
    const query = { pageSize: PAGE_SIZE, ...(cursor ? { cursor } : { page }), ...(status ? { status } : {}) };
    return settled(this.#client.GET("/jobs", { params: { query }, signal: limited(signal) }));
  }

  job(id: string, signal: AbortSignal): Promise<Job> {
    return settled(this.#client.GET("/jobs/{id}", { params: { path: { id } }, signal: limited(signal) }));
  }

  stats(signal: AbortSignal): Promise<Stats> {
    return settled(this.#client.GET("/stats", { signal: limited(signal) }));
  }

  /** The same key again gives the same job, so a request whose answer was lost may be sent again. */
  create(body: JobRequest, key: string): Promise<Job> {
    const params = { header: { "Idempotency-Key": key } };
    return settled(this.#client.POST("/jobs", { body, params, signal: limited() }));
  }

  cancel(id: string): Promise<Job> {
    return settled(this.#client.DELETE("/jobs/{id}", { params: { path: { id } }, signal: limited() }));
  }

  retry(id: string): Promise<Job> {
    return settled(this.#client.POST("/jobs/{id}/retry", { params: { path: { id } }, signal: limited() }));
  }

  /** The address of the live stream: of one job, or of all jobs from a cursor on. */
  liveUrl(jobId: string | null, cursor: string | null): string {
    const query = new URLSearchParams();
    if (jobId) query.set("job", jobId);
    if (cursor) query.set("lastEventId", cursor);
    return `${this.#baseUrl}/live?${query}`;
  }
}

function limited(signal?: AbortSignal): AbortSignal {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  return signal ? AbortSignal.any([signal, timeout]) : timeout;
}

async function settled<T>(call: Promise<Outcome<T>>): Promise<T> {
  let outcome: Outcome<T>;
  try {
    outcome = await call;
  } catch (error) {
    if (error instanceof TypeError || isTimeout(error)) throw unreachable();
    if (error instanceof SyntaxError) throw new ApiError(502, "The server's answer could not be read.");
    throw error; // the caller itself gave up
  }
  if (!outcome.response.ok || outcome.data === undefined) {
    throw refusal(outcome.response, outcome.error, Date.now());
  }
  return outcome.data;
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}
