/** A job's timeline, from its history and from what this page has received since. All times come from the server. */

import type { HistoryEntry, Job } from "calo-client/api/types";
import { clockTime, duration } from "../../text/time";

export interface Step {
  text: string;
  /** Epoch ms, or null for a step in the future or without a time. */
  time: number | null;
}

/**
 * `versions` are the versions of the job that the page has received, the current one last. The history has the
 * earlier changes, but may lack the latest ones for some seconds. `limit` is what people call the rate limit of
 * the job's kind.
 */
export function timeline(
  versions: readonly Job[],
  history: readonly HistoryEntry[],
  limit: string,
  now: number,
): Step[] {
  const job = versions.at(-1);
  if (!job) return [];
  const entries = merge(history, versions);
  const steps: Step[] = entries.map((entry, index) => ({
    text: textOf(entry, entries.slice(0, index), job, limit, now),
    time: entry.at,
  }));
  const delay = delayStep(job, entries[1]?.at ?? now);
  if (delay) steps.splice(1, 0, delay);
  return job.status === "pending" ? [...steps, ...nextSteps(job, now)] : steps;
}

/** Add a received version. One in which only the progress differs replaces the last, and adds no step. */
export function addVersion(versions: readonly Job[], job: Job): readonly Job[] {
  const last = versions.at(-1);
  if (last && last.version >= job.version) return versions;
  const isSameStep =
    last?.status === "pending" && job.status === "pending" && last.deferred_until === job.deferred_until;
  return isSameStep
    ? [...versions.slice(0, -1), { ...job, updated_at: last.updated_at }]
    : [...versions, job];
}

/** Return whether the history has the change that led to the job's present state. */
export function isComplete(history: readonly HistoryEntry[], job: Job): boolean {
  const last = history.at(-1);
  if (!last || last.status !== job.status) return false;
  return job.status === "pending"
    ? job.deferred_until === null || last.code !== null
    : last.at >= job.updated_at;
}

/** Return the history, and the received changes that it does not have. */
function merge(history: readonly HistoryEntry[], versions: readonly Job[]): HistoryEntry[] {
  const created = versions[0]?.created_at ?? 0;
  const entries = history.length > 0 ? [...history] : [entry(created, "pending", null)];
  for (const [index, version] of versions.entries()) {
    const change = changeOf(version, versions[index - 1]);
    const last = entries.at(-1);
    const isKnown = !change || !last || change.at <= last.at;
    const isRepeated = change?.code === "deferred" && last?.code === "deferred";
    if (!isKnown && !isRepeated) entries.push(change);
  }
  return entries;
}

function changeOf(job: Job, previous: Job | undefined): HistoryEntry | null {
  const { updated_at: at, status, error } = job;
  if (status !== "pending") {
    return {
      at,
      status,
      attempt: error?.attempts ?? 0,
      code: error?.code ?? null,
      message: error?.message ?? null,
    };
  }
  if (previous && previous.status !== "pending") return entry(at, status, "retried");
  return job.deferred_until === null ? null : entry(at, status, "deferred");
}

function entry(at: number, status: Job["status"], code: string | null): HistoryEntry {
  return { at, status, attempt: 0, code, message: null };
}

function textOf(
  { at, status, attempt, code, message }: HistoryEntry,
  earlier: readonly HistoryEntry[],
  job: Job,
  limit: string,
  now: number,
): string {
  const previous = earlier.at(-1);
  if (!previous) return "Created";
  const nth = attempt > 1 ? ` in attempt ${attempt}` : "";
  const elapsed = duration(Math.max(0, at - waitingSince(previous, job)));
  if (status === "cancelled") return "Cancelled";
  if (status !== "pending") return `${status === "resolved" ? "Ready" : "Failed"} after ${elapsed}${nth}`;
  if (code === "retried") return "Retried";
  if (code === "deferred") return deferredText(at, message, job, limit, now);
  if (code === "started") return `Started after ${elapsed}${attempt > 1 ? `: attempt ${attempt}` : ""}`;
  return `Attempt ${attempt} failed after ${elapsed}${message ? `: ${message}` : ""}`;
}

/** Return from when a step lasted: the previous one, but a delayed job does not wait before its start. */
function waitingSince(previous: HistoryEntry, job: Job): number {
  return previous.attempt === 0 && previous.code === null
    ? Math.max(previous.at, job.starts_at ?? 0)
    : previous.at;
}

function deferredText(at: number, message: string | null, job: Job, limit: string, now: number): string {
  const isWaiting = job.deferred_until !== null && job.deferred_until > now && at >= job.created_at;
  if (isWaiting) return `${limit.charAt(0).toUpperCase()}${limit.slice(1)} was reached`;
  const until =
    message === null ? (job.deferred_until ?? Number.NaN) : Date.parse(message.replace("until ", ""));
  return Number.isNaN(until) ? `Waited for ${limit}` : `Waited for ${limit} until ${clockTime(until, now)}`;
}

/** Return the end of the delay with which the job was created, unless something else came before it. */
function delayStep({ created_at, starts_at }: Job, next: number): Step | null {
  if (starts_at === null || starts_at <= created_at || starts_at > next) return null;
  return { text: `Delay of ${duration(starts_at - created_at)} ended`, time: starts_at };
}

/** Return what comes next for a pending job. */
function nextSteps(job: Job, now: number): Step[] {
  if (job.deferred_until !== null && job.deferred_until > now) {
    const until = clockTime(job.deferred_until, now);
    return [{ text: `Continues at ${until}; this doesn't count as an attempt`, time: null }];
  }
  if (job.starts_at !== null && job.starts_at > now) {
    return [{ text: `Starts at ${clockTime(job.starts_at, now)}`, time: null }];
  }
  return [{ text: job.progress ? "Running" : "Pending", time: null }];
}
