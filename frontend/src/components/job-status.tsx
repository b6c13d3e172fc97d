import type { Job } from "calo-client/api/types";
import { displayStatus, statusText } from "../text/job-status";
import { age, LOCALE } from "../text/time";

interface Props {
  job: Job;
  /** What people call the rate limit of the job's kind. */
  limit: string;
  now: number;
}

export function JobStatus({ job, limit, now }: Props) {
  return (
    <p className="status" data-status={displayStatus(job, now)}>
      {statusText(job, limit, now)}
      <span aria-hidden="true"> · </span>
      <time
        dateTime={new Date(job.created_at).toISOString()}
        title={new Date(job.created_at).toLocaleString(LOCALE)}
      >
        {age(job.created_at, now)}
      </time>
    </p>
  );
}
