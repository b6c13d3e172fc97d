/** What is said to screen readers about jobs that were created or changed on this page. */

import type { Job, JobContent, Status } from "calo-client/api/types";

const SENTENCES: Record<Status, (subject: string, isOne: boolean) => string> = {
  resolved: (subject, isOne) => `${subject} ${isOne ? "is" : "are"} ready`,
  cancelled: (subject, isOne) => `${subject} ${isOne ? "was" : "were"} cancelled`,
  error: (subject) => `${subject} failed`,
  pending: (subject) => `Trying again: ${subject}`,
};

/**
 * Return one sentence for all jobs with the same subject and status, such as "6 photos of sea are ready".
 * `subject` says what that number of jobs with this content is called.
 */
export function announcement(
  jobs: readonly Job[],
  subject: (job: JobContent, count: number) => string,
): string {
  const groups = new Map<string, { job: Job; count: number }>();
  for (const job of jobs) {
    const key = `${job.status} ${subject(job, 1)}`;
    groups.set(key, { job, count: (groups.get(key)?.count ?? 0) + 1 });
  }
  const sentences = [...groups.values()].map(({ job, count }) =>
    SENTENCES[job.status](subject(job, count), count === 1),
  );
  return sentences.join(", ");
}
