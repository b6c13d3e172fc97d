import type { Job } from "calo-client/api/types";
import { memo } from "react";
import { Link } from "wouter";
import { JobActions } from "../../components/job-actions";
import { JobStatus } from "../../components/job-status";
import { ProgressBar } from "../../components/progress-bar";
import { useNow } from "../../hooks/use-now";
import { useView, type ViewProps } from "../../kinds/kind-view";
import { useJobTexts } from "../../kinds/use-job-texts";
import { displayStatus } from "../../text/job-status";
import { FROM_LIST } from "./list-params";

interface Props {
  job: Job;
  /** The card is visible without scrolling. */
  isPriority: boolean;
}

export const JobCard = memo(function JobCard({ job, isPriority }: Props) {
  const now = useNow();
  const view = useView(job.kind);
  const { kinds, edit, limit, title: titleOf } = useJobTexts();
  const title = titleOf(job);
  const kind = kinds?.find(({ name }) => name === job.kind);
  const props: ViewProps = { job, title, kind, place: "card", isPriority };
  return (
    <li className="card" data-job={job.id} data-version={job.version} data-kind={job.kind}>
      <div className="frame" data-status={displayStatus(job, now)}>
        {view && <view.Frame {...props} />}
        {job.status === "pending" && job.progress && <ProgressBar progress={job.progress} title={title} />}
      </div>
      <div className="caption">
        <h2>
          <Link href={`/jobs/${job.id}`} state={FROM_LIST} title={title} dir="auto">
            {title}
          </Link>
        </h2>
        <JobStatus job={job} limit={limit(job)} now={now} />
        {job.error && <p className="reason">{job.error.message}</p>}
        {view?.Notes && <view.Notes {...props} />}
        <JobActions job={job} title={title} edit={edit(job)} />
      </div>
    </li>
  );
});
