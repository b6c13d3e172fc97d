/** Applies changed jobs to a page of the list. */

import { isFirstPage, type Job, type JobFilter, type JobPage, type ListParams } from "../api/types";

/**
 * Return the page with newer versions of its jobs, without jobs that no longer belong to it. On the first
 * page, also insert new jobs, newest first. Return the same object if nothing changed.
 */
export function applyJobs(page: JobPage, params: ListParams, jobs: readonly Job[]): JobPage {
  const updated = updateJobs(page.data, params, new Map(jobs.map((job) => [job.id, job])));
  const existingIds = new Set(page.data.map((job) => job.id));
  const added = isFirstPage(params)
    ? jobs.filter((job) => !existingIds.has(job.id) && belongsOnFirstPage(job, params, page))
    : [];
  if (updated === page.data && added.length === 0) return page;
  const { total } = page;
  const newTotal = total === null ? null : total + added.length - (page.data.length - updated.length);
  const data = added.length ? [...updated, ...added].sort(newestFirst).slice(0, page.pageSize) : updated;
  const totalPages = newTotal === null ? null : Math.ceil(newTotal / page.pageSize);
  return { ...page, data, total: newTotal, totalPages };
}

/** Return whether the page has room for jobs that only the server has. */
export function hasGap(page: JobPage): boolean {
  return page.data.length < page.pageSize && page.next_cursor !== null;
}

/** Return the jobs with newer versions applied, or the same array if there are none. */
function updateJobs(data: Job[], params: ListParams, changes: ReadonlyMap<string, Job>): Job[] {
  let isUnchanged = true;
  const updated = data.flatMap((job) => {
    const change = changes.get(job.id);
    if (!change || change.version <= job.version) return [job];
    isUnchanged = false;
    return matches(change, params) ? [change] : [];
  });
  return isUnchanged ? data : updated;
}

/** A job belongs on the first page if it is newer than the page's last job, or if there is no next page. */
function belongsOnFirstPage(job: Job, params: ListParams, page: JobPage): boolean {
  const last = page.data.at(-1);
  const isLastPage = page.next_cursor === null && page.data.length < page.pageSize;
  // a job does not say whose it is
  const isOwnerKnown = params.owner === undefined || params.owner === "*";
  const isNewer = isLastPage || last === undefined || newestFirst(job, last) < 0;
  return isOwnerKnown && isNewer && matches(job, params);
}

/** Return whether the job belongs into a list with this filter. A job of another owner is never asked about. */
export function matches(job: Job, { status, kind, code, since, until, text }: JobFilter): boolean {
  return (
    (status === null || job.status === status) &&
    (kind === undefined || job.kind === kind) &&
    (code === undefined || job.error?.code === code) &&
    (since === undefined || job.created_at >= since) &&
    (until === undefined || job.created_at < until) &&
    (text === undefined || Object.values(job.input).some((value) => hasText(value, text)))
  );
}

function hasText(value: unknown, text: string): boolean {
  return typeof value === "string" && value.toLowerCase().includes(text.toLowerCase());
}

/** Compare as the API sorts: by creation time, then by id, both descending. */
export function newestFirst(a: Job, b: Job): number {
  return b.created_at - a.created_at || (a.id < b.id ? 1 : -1);
}
