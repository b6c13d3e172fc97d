import { memo } from "react";
import { Link } from "wouter";
import type { Job } from "../../api/types";
import { JobActions } from "../../components/job-actions";
import { JobStatus } from "../../components/job-status";
import { Credit, PhotoFrame } from "../../components/photo-frame";
import { useNow } from "../../hooks/use-now";
import { displayStatus } from "../../text/job-status";

const SIZES = "(max-width: 40rem) 100vw, 20rem";

interface Props {
  job: Job;
  /** The card is visible without scrolling. */
  isPriority: boolean;
}

export const JobCard = memo(function JobCard({ job, isPriority }: Props) {
  const now = useNow();
  const { photo } = job;
  return (
    <li className="card" data-job={job.id} data-version={job.version}>
      {/* not in the tab order, because the title below is a link to the same page */}
      <Link
        href={`/jobs/${job.id}`}
        className="frame"
        data-status={displayStatus(job, now)}
        tabIndex={-1}
        aria-hidden={!photo}
      >
        {photo && (
          <PhotoFrame key={photo.id} photo={photo} query={job.query} sizes={SIZES} isPriority={isPriority} />
        )}
      </Link>
      <div className="caption">
        <h2>
          <Link href={`/jobs/${job.id}`}>{job.query}</Link>
        </h2>
        <JobStatus job={job} now={now} />
        {job.error && <p className="reason">{job.error.message}</p>}
        {photo && <Credit photo={photo} />}
        <JobActions job={job} />
      </div>
    </li>
  );
});
