import type { Job } from "../api/types";
import { useServices } from "../services";
import { displayStatus, statusText } from "../text/job-status";
import { age } from "../text/time";

export function JobStatus({ job, now }: { job: Job; now: number }) {
  const { ownJobs } = useServices();
  return (
    <p className="status" data-status={displayStatus(job, now)}>
      {statusText(job, ownJobs.startTime(job), now)}
      <span aria-hidden="true"> · </span>
      <time
        dateTime={new Date(job.created_at).toISOString()}
        title={new Date(job.created_at).toLocaleString()}
      >
        {age(job.created_at, now)}
      </time>
    </p>
  );
}
