/** The API client. Its methods resolve with the response body, or reject with an ApiError. */

import createClient from "openapi-fetch";
import { ApiError, errorFromResponse, networkError } from "./api-error";
import type { paths } from "./schema";
import type { Job, JobPage, JobRequest, ListParams, Stats } from "./types";

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

  listJobs({ status, page, cursor }: ListParams, signal: AbortSignal): Promise<JobPage> {
    const query = { pageSize: PAGE_SIZE, ...(cursor ? { cursor } : { page }), ...(status ? { status } : {}) };
    return unwrap(this.#client.GET("/jobs", { params: { query }, signal: withTimeout(signal) }));
  }

  getJob(id: string, signal: AbortSignal): Promise<Job> {
    return unwrap(this.#client.GET("/jobs/{id}", { params: { path: { id } }, signal: withTimeout(signal) }));
  }

  getStats(signal: AbortSignal): Promise<Stats> {
    return unwrap(this.#client.GET("/stats", { signal: withTimeout(signal) }));
  }

  /** Create a job. The same key returns the same job, so the request can be retried after a lost response. */
  createJob(body: JobRequest, key: string): Promise<Job> {
    const params = { header: { "Idempotency-Key": key } };
    return unwrap(this.#client.POST("/jobs", { body, params, signal: withTimeout() }));
  }

  cancelJob(id: string): Promise<Job> {
    return unwrap(this.#client.DELETE("/jobs/{id}", { params: { path: { id } }, signal: withTimeout() }));
  }

  retryJob(id: string): Promise<Job> {
    return unwrap(this.#client.POST("/jobs/{id}/retry", { params: { path: { id } }, signal: withTimeout() }));
  }

  /** Return the URL of the live stream of some jobs, or of all jobs that change after a cursor. */
  liveUrl(jobIds: readonly string[] | "all", cursor: string | null): string {
    const query = new URLSearchParams();
    if (cursor !== null) query.set("lastEventId", cursor);
    const jobs = jobIds === "all" ? "" : `job=${jobIds.map(encodeURIComponent).join(",")}`;
    return `${this.#baseUrl}/live?${jobs || query}`;
  }
}

function withTimeout(signal?: AbortSignal): AbortSignal {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  return signal ? AbortSignal.any([signal, timeout]) : timeout;
}

async function unwrap<T>(request: Promise<Outcome<T>>): Promise<T> {
  let outcome: Outcome<T>;
  try {
    outcome = await request;
  } catch (error) {
    if (error instanceof TypeError || isTimeout(error)) throw networkError();
    if (error instanceof SyntaxError) throw new ApiError(502, "The server's response could not be read.");
    throw error; // the caller aborted the request
  }
  if (!outcome.response.ok || outcome.data === undefined) {
    throw errorFromResponse(outcome.response, outcome.error, Date.now());
  }
  return outcome.data;
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}
