/** Writes what is learned of jobs into the query cache, wherever they are shown. */

import { notifyManager, type QueryClient } from "@tanstack/react-query";
import type { Job, JobPage, Place } from "../api/types";
import { applyJobs, hasGap } from "./apply-jobs";
import { NewestJobs } from "./newest-jobs";
import { type Pace, Refresher } from "./refresher";
import type { Timers } from "./timers";

/** The first part of every query's key. */
export const JOBS = "jobs";
export const JOB = "job";
export const STATS = "stats";

/** Counts follow the table by a second or two, so they are fetched a second time. */
const COUNTS_PACE: Pace = { firstMs: 1_500, longestMs: 30_000, times: 2 };
const REFILL_PACE: Pace = { firstMs: 1_000, longestMs: 30_000, times: 1 };

export class JobCache {
  readonly #queries: QueryClient;
  readonly #newest = new NewestJobs();
  readonly #counts: Refresher;
  readonly #refill: Refresher;

  constructor(queries: QueryClient, timers: Timers) {
    this.#queries = queries;
    // counts and what lies behind a page are the server's to know
    this.#counts = new Refresher(() => this.#refetch(STATS), COUNTS_PACE, timers);
    this.#refill = new Refresher(() => this.#refetch(JOBS), REFILL_PACE, timers);
  }

  /** The newest version that any answer or event has shown. */
  known(id: string): Job | undefined {
    return this.#newest.get(id);
  }

  /** Take in jobs from the stream or from an answer; old news changes nothing. Returns what was new. */
  learn(jobs: readonly Job[]): Job[] {
    const news = this.#newest.see(jobs);
    if (news.length === 0) return news;
    notifyManager.batch(() => {
      for (const [key, page] of this.#queries.getQueriesData<JobPage>({ queryKey: [JOBS] })) {
        if (page) this.#update(key[1] as Place, page, news);
      }
      for (const job of news) {
        this.#queries.setQueryData<Job>([JOB, job.id], (known) => (known ? job : undefined));
      }
    });
    this.#counts.call();
    return news;
  }

  /** Fetch a page; what the stream has told meanwhile is newer than the answer. */
  async page(place: Place, fetch: () => Promise<JobPage>): Promise<JobPage> {
    const mark = this.#newest.mark();
    const page = await fetch();
    const meanwhile = this.#newest.since(mark);
    this.#newest.see(page.data);
    return applyJobs(page, place, [...page.data.map((job) => this.#newest.newer(job)), ...meanwhile]);
  }

  /** Fetch a job, unless a newer version is known by then. */
  async job(fetch: () => Promise<Job>): Promise<Job> {
    const job = await fetch();
    this.learn([job]);
    return this.#newest.newer(job);
  }

  /** Fetch anew whatever is on the screen. */
  refetchAll(): void {
    void this.#queries.invalidateQueries();
  }

  #update(place: Place, page: JobPage, news: readonly Job[]): void {
    const updated = applyJobs(page, place, news);
    if (updated === page) return;
    this.#queries.setQueryData<JobPage>([JOBS, place], updated);
    if (hasGap(updated)) this.#refill.call();
  }

  #refetch(key: string): void {
    void this.#queries.invalidateQueries({ queryKey: [key] });
  }
}
