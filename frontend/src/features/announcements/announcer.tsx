import type { Status } from "calo-client/api/types";
import { useSyncExternalStore } from "react";
import { useJobTexts } from "../../kinds/use-job-texts";
import { useServices } from "../../services";

const SENTENCES: Record<Status, (subject: string) => string> = {
  resolved: (subject) => `${subject} is ready`,
  cancelled: (subject) => `${subject} was cancelled`,
  error: (subject) => `${subject} failed`,
  pending: (subject) => `Trying again: ${subject}`,
};

/** Announces to screen readers what has happened to the jobs that were created or changed on this page. */
export function Announcer() {
  const { ownJobs } = useServices();
  const { subject } = useJobTexts();
  const jobs = useSyncExternalStore(ownJobs.subscribe, ownJobs.lastChanged);
  return (
    <div className="visually-hidden" aria-live="polite">
      {/* a new element, so that the same text is announced again */}
      <span key={jobs.map(({ id, version }) => `${id} ${version}`).join()}>
        {jobs.map((job) => SENTENCES[job.status](subject(job))).join(", ")}
      </span>
    </div>
  );
}
