/** Writes new versions of jobs into all cached queries that contain them. */

import { notifyManager, type QueryClient } from "@tanstack/query-core";
import type { Job, JobPage, ListParams } from "../api/types";
import { applyJobs, hasGap } from "./apply-jobs";
import { NewestJobs } from "./newest-jobs";
import { type Pace, Refresher } from "./refresher";
import type { Timers } from "./timers";

/** The first element of each query key. */
export const JOBS = "jobs";
export const JOB = "job";
export const STATS = "stats";

/** The server's counts are a second or two behind the table, so they are fetched twice. */
const COUNTS_PACE: Pace = { firstMs: 1_500, longestMs: 30_000, times: 2 };
const REFILL_PACE: Pace = { firstMs: 1_000, longestMs: 30_000, times: 1 };

export class JobCache {
  readonly #queries: QueryClient;
  readonly #newest = new NewestJobs();
  readonly #counts: Refresher;
  readonly #refill: Refresher;

  constructor(queries: QueryClient, timers: Timers) {
    this.#queries = queries;
    // only the server has the counts, and the jobs after the end of a page
    this.#counts = new Refresher(() => this.#refetch(STATS), COUNTS_PACE, timers);
    this.#refill = new Refresher(() => this.#refetch(JOBS), REFILL_PACE, timers);
  }

  /** Return the newest version of a job from any response or event. */
  latest(id: string): Job | undefined {
    return this.#newest.get(id);
  }

  /** Store jobs from the stream or from a response, except old versions. Return the jobs that were newer. */
  update(jobs: readonly Job[]): Job[] {
    const countsChange = jobs.some((job) => this.latest(job.id)?.status !== job.status); // not with progress
    const newer = this.#newest.add(jobs);
    if (newer.length === 0) return newer;
    notifyManager.batch(() => {
      for (const [key, page] of this.#queries.getQueriesData<JobPage>({ queryKey: [JOBS] })) {
        if (page) this.#updatePage(key[1] as ListParams, page, newer);
      }
      for (const job of newer) {
        this.#queries.setQueryData<Job>([JOB, job.id], (cached) => (cached ? job : undefined));
      }
    });
    if (countsChange) this.#counts.schedule();
    return newer;
  }

  /** Fetch a page, and apply what the stream brought while the request was in progress. */
  async fetchPage(params: ListParams, fetch: () => Promise<JobPage>): Promise<JobPage> {
    const mark = this.#newest.mark();
    const page = await fetch();
    const streamed = this.#newest.since(mark);
    this.#newest.add(page.data);
    return applyJobs(page, params, [...page.data.map((job) => this.#newest.newer(job)), ...streamed]);
  }

  /** Fetch a job. Return a newer version instead if there is one. */
  async fetchJob(fetch: () => Promise<Job>): Promise<Job> {
    const job = await fetch();
    this.update([job]);
    return this.#newest.newer(job);
  }

  /** Fetch the data of all visible components again. */
  refetchAll(): void {
    void this.#queries.invalidateQueries();
  }

  #updatePage(params: ListParams, page: JobPage, jobs: readonly Job[]): void {
    const updated = applyJobs(page, params, jobs);
    if (updated === page) return;
    this.#queries.setQueryData<JobPage>([JOBS, params], updated);
    if (hasGap(updated)) this.#refill.schedule();
  }

  #refetch(key: string): void {
    void this.#queries.invalidateQueries({ queryKey: [key] });
  }
}
