/** The API client. Its methods resolve with the response body, or reject with an ApiError. */

import { ApiError, errorFromResponse, networkError } from "./api-error";
import type { paths } from "./schema";
import type {
  BulkEntry,
  Changed,
  DeliveryList,
  HistoryEntry,
  Job,
  JobPage,
  JobRequest,
  Kind,
  ListParams,
  Schedule,
  ScheduleChange,
  ScheduleRequest,
  Selection,
  Stats,
} from "./types";

export const PAGE_SIZE = 24;

const TIMEOUT_MS = 15_000;

type Method = "get" | "post" | "patch" | "delete";
type PathsWith<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends object ? P : never;
}[keyof paths];
type Json<T> = { content: { "application/json": T } };
/** The body of a call's successful response, from the OpenAPI document. */
type Body<T> = T extends {
  responses: { 200: Json<infer B> } | { 201: Json<infer B> } | { 202: Json<infer B> };
}
  ? B
  : undefined;

interface CallOptions {
  /** The job or schedule that is named in the path. */
  id?: string;
  /** What is null or undefined is left out. */
  query?: Record<string, string | number | null | undefined>;
  headers?: Record<string, string>;
  body?: unknown;
  signal?: AbortSignal;
}

export class CaloApi {
  readonly #baseUrl: string;
  readonly #fetch: typeof fetch;

  /** `fetch` sends the requests, with what proves who makes them. */
  constructor(baseUrl: string, fetch: typeof globalThis.fetch) {
    this.#baseUrl = baseUrl;
    this.#fetch = fetch;
  }

  listJobs({ page, cursor, ...filter }: ListParams, signal: AbortSignal): Promise<JobPage> {
    const query = { pageSize: PAGE_SIZE, ...(cursor ? { cursor } : { page }), ...filter };
    return this.#call("get", "/jobs", { query, signal }) as Promise<JobPage>;
  }

  getJob(id: string, signal: AbortSignal): Promise<Job> {
    return this.#call("get", "/jobs/{id}", { id, signal });
  }

  /** Return the job's recorded changes, oldest first. */
  async getHistory(id: string, signal: AbortSignal): Promise<HistoryEntry[]> {
    return (await this.#call("get", "/jobs/{id}/history", { id, signal })).data;
  }

  /** `owner`: for operators, whose counts to return; `*` for all owners. */
  getStats(signal: AbortSignal, owner?: string): Promise<Stats> {
    return this.#call("get", "/stats", { query: { owner }, signal });
  }

  /** Return the kinds of jobs, photo first: it is what the app is known for. */
  async listKinds(signal: AbortSignal): Promise<Kind[]> {
    const { data } = await this.#call("get", "/kinds", { signal });
    return data.sort((a, b) => Number(b.name === "photo") - Number(a.name === "photo"));
  }

  /** Create a job. The same key returns the same job, so the request can be retried after a lost response. */
  createJob(body: JobRequest, key: string): Promise<Job> {
    return this.#call("post", "/jobs", { body, headers: { "Idempotency-Key": key } });
  }

  /** Create up to 100 jobs. Return each job, or why it was not created, in order. */
  async createJobs(jobs: readonly BulkEntry[]): Promise<(Job | ApiError)[]> {
    const { results } = await this.#call("post", "/jobs/bulk", { body: { jobs } });
    return results.map((result) =>
      "id" in result ? result : new ApiError(result.status, result.detail, null, result.errors),
    );
  }

  /** Cancel or retry up to 100 jobs. `more`: repeat the call. */
  changeJobs(change: "cancel" | "retry", selection: Selection): Promise<Changed> {
    const { owner, ...body } = selection;
    return this.#call("post", `/jobs/${change}`, { query: { owner }, body });
  }

  cancelJob(id: string): Promise<Job> {
    return this.#call("delete", "/jobs/{id}", { id });
  }

  retryJob(id: string): Promise<Job> {
    return this.#call("post", "/jobs/{id}/retry", { id });
  }

  listDeliveries(id: string, signal: AbortSignal): Promise<DeliveryList> {
    return this.#call("get", "/jobs/{id}/deliveries", { id, signal });
  }

  /** Send a job's webhook again. Resolves with the deliveries before that. */
  sendAgain(id: string): Promise<DeliveryList> {
    return this.#call("post", "/jobs/{id}/deliveries", { id });
  }

  /** Return all schedules, the newest first. */
  async listSchedules(signal: AbortSignal): Promise<Schedule[]> {
    return (await this.#call("get", "/schedules", { signal })).data;
  }

  createSchedule(body: ScheduleRequest): Promise<Schedule> {
    return this.#call("post", "/schedules", { body });
  }

  changeSchedule(id: string, body: ScheduleChange): Promise<Schedule> {
    return this.#call("patch", "/schedules/{id}", { id, body });
  }

  deleteSchedule(id: string): Promise<undefined> {
    return this.#call("delete", "/schedules/{id}", { id });
  }

  /** Return the URL of the live stream of some jobs, or of all jobs that change after a cursor. */
  liveUrl(jobIds: readonly string[] | "all", cursor: string | null): string {
    const query = new URLSearchParams();
    if (cursor !== null) query.set("lastEventId", cursor);
    const jobs = jobIds === "all" ? "" : `job=${jobIds.map(encodeURIComponent).join(",")}`;
    return `${this.#baseUrl}/live?${jobs || query}`;
  }

  async #call<M extends Method, P extends PathsWith<M>>(
    method: M,
    path: P,
    { id = "", query = {}, headers = {}, body, signal }: CallOptions,
  ): Promise<Body<paths[P][M]>> {
    const search = new URLSearchParams(
      Object.entries(query).flatMap(([name, value]) => (value == null ? [] : [[name, String(value)]])),
    );
    const url = `${this.#baseUrl}${path.replace("{id}", encodeURIComponent(id))}${search.size ? `?${search}` : ""}`;
    const options: RequestInit = { method: method.toUpperCase(), headers, signal: withTimeout(signal) };
    if (body !== undefined) {
      options.headers = { "Content-Type": "application/json", ...headers };
      options.body = JSON.stringify(body);
    }
    try {
      const send = this.#fetch; // browsers refuse their own `fetch` as a method of another object
      const response = await send(url, options);
      if (response.status === 204) return undefined as Body<paths[P][M]>;
      if (response.ok) return (await response.json()) as Body<paths[P][M]>;
      throw errorFromResponse(response, parseJson(await response.text()), Date.now());
    } catch (error) {
      if (error instanceof TypeError || isTimeout(error)) throw networkError();
      if (error instanceof SyntaxError) throw new ApiError(502, "The server's response could not be read.");
      throw error; // an ApiError, or the caller aborted the request
    }
  }
}

function withTimeout(signal?: AbortSignal): AbortSignal {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  return signal ? AbortSignal.any([signal, timeout]) : timeout;
}

/** Return the value of a JSON text, or null: the body of an error can be anything. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}
