import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link } from "wouter";
import { ApiError } from "../../api/api-error";
import type { Job } from "../../api/types";
import { JobActions } from "../../components/job-actions";
import { JobStatus } from "../../components/job-status";
import { NotFound } from "../../components/not-found";
import { Credit, PhotoFrame } from "../../components/photo-frame";
import { ProblemMessage } from "../../components/problem-message";
import { useNow } from "../../hooks/use-now";
import { jobQuery } from "../../queries";
import { useServices } from "../../services";
import { displayStatus } from "../../text/job-status";
import { exactTime } from "../../text/time";
import { timeline } from "./timeline";

export function JobPage({ id }: { id: string }) {
  const services = useServices();
  const { data: job, error, failureReason, refetch } = useQuery(jobQuery(services, id));
  const isKnown = job !== undefined;
  useEffect(() => (isKnown ? services.live.show(id, null) : undefined), [services, id, isKnown]);
  if (error instanceof ApiError && (error.status === 404 || error.status === 400)) {
    return <NotFound>There is no such job. Jobs are kept for 30 days.</NotFound>;
  }
  return (
    <article className="job">
      <Link href="/" className="back">
        ← All jobs
      </Link>
      {error && <ProblemMessage error={error} retry={() => void refetch()} />}
      {job ? <JobView job={job} /> : !error && <Loading failure={failureReason} />}
    </article>
  );
}

function Loading({ failure }: { failure: Error | null }) {
  return (
    <>
      <title>Calo</title>
      <h1 className="unseen">Loading</h1>
      {failure && <ProblemMessage error={failure} />}
      <div className="frame" data-look="pending" aria-busy="true" />
    </>
  );
}

function JobView({ job }: { job: Job }) {
  const now = useNow();
  const { photo } = job;
  const steps = timeline(useVersions(job), now);
  return (
    <>
      <title>{`${job.query} · Calo`}</title>
      <header>
        <div>
          <h1>{job.query}</h1>
          <JobStatus job={job} now={now} />
        </div>
        <JobActions job={job} />
      </header>
      <div className="frame" data-look={displayStatus(job, now)} data-job={job.id} data-version={job.version}>
        {photo && (
          <a href={job.result ?? photo.regular} aria-label={`The image of ${job.query}`}>
            <PhotoFrame
              key={photo.id}
              photo={photo}
              query={job.query}
              sizes="(max-width: 60rem) 100vw, 60rem"
              isFirst
            />
          </a>
        )}
        {job.error && (
          <section className="failure" aria-label="Why it failed">
            <p>{job.error.message}</p>
            <p className="code">{job.error.code}</p>
          </section>
        )}
      </div>
      {photo && <Credit photo={photo} />}
      <h2>What happened</h2>
      <ol className="timeline">
        {steps.map((step) => (
          <li key={`${step.what} ${step.at}`} data-ahead={step.at === null || undefined}>
            {step.at !== null && (
              <time dateTime={new Date(step.at).toISOString()}>{exactTime(step.at, now)}</time>
            )}
            <span>{step.what}</span>
          </li>
        ))}
      </ol>
      <p className="fine">
        Job {job.id}, version {job.version}
      </p>
    </>
  );
}

/** The versions of the job that were shown here, the present one last. */
function useVersions(job: Job): Job[] {
  const [earlier, setEarlier] = useState<Job[]>([]);
  const last = earlier.at(-1);
  if (!last || last.version < job.version) {
    const versions = [...earlier, job];
    setEarlier(versions); // while rendering: https://react.dev/reference/react/useState#storing-information-from-previous-renders
    return versions;
  }
  return earlier;
}
