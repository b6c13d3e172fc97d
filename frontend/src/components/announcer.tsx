/** Tells people who do not see the page how the jobs that they asked for have ended. */

import { useSyncExternalStore } from "react";
import type { Job } from "../api/types";
import { useServices } from "../services";

export function Announcer() {
  const { ownJobs } = useServices();
  const ended = useSyncExternalStore(ownJobs.subscribe, ownJobs.lastEnded);
  return (
    <div className="unseen" aria-live="polite">
      {ended.map(endOf).join(", ")}
    </div>
  );
}

function endOf(job: Job): string {
  return `${job.query}: ${job.status === "resolved" ? "the photo is there" : job.status}`;
}
