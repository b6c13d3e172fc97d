import { useSyncExternalStore } from "react";
import type { Job } from "../api/types";
import { useServices } from "../services";

/** Announces to screen readers how the jobs that were created on this page have ended. */
export function Announcer() {
  const { ownJobs } = useServices();
  const ended = useSyncExternalStore(ownJobs.subscribe, ownJobs.lastEnded);
  return (
    <div className="visually-hidden" aria-live="polite">
      {ended.map(announcement).join(", ")}
    </div>
  );
}

function announcement(job: Job): string {
  switch (job.status) {
    case "resolved":
      return `Photo of ${job.query} is ready`;
    case "cancelled":
      return `Photo of ${job.query} was cancelled`;
    default:
      return `Photo of ${job.query} failed`;
  }
}
