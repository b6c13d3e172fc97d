/** The reducer of events: a page of the list after jobs have changed. */

import { isFirstPage, type Job, type JobPage, type Place } from "../api/types";

/**
 * `page` with newer versions in place of older ones; jobs that have left its status are gone; on the first
 * page, new jobs stand where they belong, newest first. The same object if nothing has changed.
 */
export function applyJobs(page: JobPage, place: Place, jobs: readonly Job[]): JobPage {
  const changed = new Map(jobs.map((job) => [job.id, job]));
  const kept = replaced(page.data, place, changed);
  const shown = new Set(page.data.map((job) => job.id));
  const added = isFirstPage(place)
    ? jobs.filter((job) => !shown.has(job.id) && belongs(job, place, page))
    : [];
  if (kept === page.data && added.length === 0) return page;
  const total = page.total + added.length - (page.data.length - kept.length);
  const data = added.length ? [...kept, ...added].sort(newestFirst).slice(0, page.pageSize) : kept;
  return { ...page, data, total, totalPages: Math.ceil(total / page.pageSize) };
}

/** Is there room on the page for jobs that only the server knows? */
export function hasGap(page: JobPage): boolean {
  return page.data.length < page.pageSize && page.next_cursor !== null;
}

function replaced(data: Job[], place: Place, changed: ReadonlyMap<string, Job>): Job[] {
  let same = true;
  const kept = data.flatMap((job) => {
    const other = changed.get(job.id);
    if (!other || other.version <= job.version) return [job];
    same = false;
    return matches(other, place) ? [other] : [];
  });
  return same ? data : kept;
}

/** On the first page belongs what is newer than its last job; or all, if there is no more behind it. */
function belongs(job: Job, place: Place, page: JobPage): boolean {
  const last = page.data.at(-1);
  const isLastPage = page.next_cursor === null && page.data.length < page.pageSize;
  return matches(job, place) && (isLastPage || last === undefined || newestFirst(job, last) < 0);
}

function matches(job: Job, place: Place): boolean {
  return place.status === null || job.status === place.status;
}

function newestFirst(a: Job, b: Job): number {
  return b.created_at - a.created_at || (a.id < b.id ? 1 : -1);
}
