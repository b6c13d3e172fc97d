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
import { retryFailed } from "../../live/recovery";
import { jobQuery, lastingProblem } from "../../queries";
import { useServices } from "../../services";
import { displayStatus } from "../../text/job-status";
import { exactTime } from "../../text/time";
import { type Step, timeline } from "./timeline";

export function JobPage({ id }: { id: string }) {
  const services = useServices();
  const query = useQuery(jobQuery(services, id));
  const { data: job, error } = query;
  const problem = lastingProblem(query);
  const isLoaded = job !== undefined;
  useEffect(() => (isLoaded ? services.live.show(id, null) : undefined), [services, id, isLoaded]);
  if (error instanceof ApiError && (error.status === 404 || error.status === 400)) {
    return <NotFound>We couldn't find this job. Jobs are deleted after 30 days.</NotFound>;
  }
  return (
    <article className="job">
      <Link href="/" className="back">
        ← All jobs
      </Link>
      {problem && <ProblemMessage error={problem} retry={() => retryFailed(services.queries)} />}
      {job ? <JobView job={job} /> : !error && <Loading />}
    </article>
  );
}

function Loading() {
  return (
    <>
      <title>Calo</title>
      <h1 className="visually-hidden">Loading</h1>
      <div className="frame" data-status="pending" aria-busy="true" />
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
      <div
        className="frame"
        data-status={displayStatus(job, now)}
        data-job={job.id}
        data-version={job.version}
      >
        {photo && (
          <a href={job.result ?? photo.regular} aria-label={`Open the photo of ${job.query}`}>
            <PhotoFrame
              key={photo.id}
              photo={photo}
              query={job.query}
              sizes="(max-width: 60rem) 100vw, 60rem"
              isPriority
            />
          </a>
        )}
        {job.error && <Failure error={job.error} />}
      </div>
      {photo && <Credit photo={photo} />}
      <Timeline steps={steps} now={now} />
      <p className="details">
        Job {job.id}, version {job.version}
      </p>
    </>
  );
}

function Failure({ error }: { error: NonNullable<Job["error"]> }) {
  return (
    <section className="failure" aria-label="Reason for the failure">
      <p>{error.message}</p>
      <p className="code">{error.code}</p>
    </section>
  );
}

function Timeline({ steps, now }: { steps: Step[]; now: number }) {
  return (
    <>
      <h2>Timeline</h2>
      <ol className="timeline">
        {steps.map(({ text, time }) => (
          <li key={`${text} ${time}`} data-untimed={time === null || undefined}>
            {time !== null && <time dateTime={new Date(time).toISOString()}>{exactTime(time, now)}</time>}
            <span>{text}</span>
          </li>
        ))}
      </ol>
    </>
  );
}

/** Return the versions of the job that this page has received, the current one last. */
function useVersions(job: Job): Job[] {
  const [versions, setVersions] = useState<Job[]>([]);
  const last = versions.at(-1);
  if (last && last.version >= job.version) return versions;
  const updated = [...versions, job];
  setVersions(updated); // while rendering: https://react.dev/reference/react/useState#storing-information-from-previous-renders
  return updated;
}
