import { useSyncExternalStore } from "react";
import type { Job } from "../api/types";
import { useServices } from "../services";

/** Announces to screen readers what has happened to the jobs that were created or changed on this page. */
export function Announcer() {
  const { ownJobs } = useServices();
  const jobs = useSyncExternalStore(ownJobs.subscribe, ownJobs.lastChanged);
  return (
    <div className="visually-hidden" aria-live="polite">
      {/* a new element, so that the same text is announced again */}
      <span key={jobs.map(({ id, version }) => `${id} ${version}`).join()}>
        {jobs.map(announcement).join(", ")}
      </span>
    </div>
  );
}

function announcement(job: Job): string {
  switch (job.status) {
    case "resolved":
      return `Photo of ${job.query} is ready`;
    case "cancelled":
      return `Photo of ${job.query} was cancelled`;
    case "error":
      return `Photo of ${job.query} failed`;
    case "pending":
      return `Trying again to get the photo of ${job.query}`;
  }
}
