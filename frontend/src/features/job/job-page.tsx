import { useQuery } from "@tanstack/react-query";
import { ApiError } from "calo-client/api/api-error";
import type { HistoryEntry, Job, Status } from "calo-client/api/types";
import { retryFailed } from "calo-client/live/recovery";
import { useEffect, useState } from "react";
import { JobActions } from "../../components/job-actions";
import { JobStatus } from "../../components/job-status";
import { NotFound } from "../../components/not-found";
import { ProblemMessage } from "../../components/problem-message";
import { ProgressBar } from "../../components/progress-bar";
import { useNow } from "../../hooks/use-now";
import { type KindView, useView, type ViewProps } from "../../kinds/kind-view";
import { helpFor } from "../../kinds/page-texts";
import { useJobTexts } from "../../kinds/use-job-texts";
import { historyQuery, jobQuery, lastingProblem } from "../../queries";
import { useServices } from "../../services";
import { displayStatus } from "../../text/job-status";
import { exactTime } from "../../text/time";
import { JobNavigation } from "./job-navigation";
import { JobTools } from "./job-tools";
import { LazyDeliveries } from "./lazy-deliveries";
import { addVersion, isComplete, type Step, timeline } from "./timeline";

/** How long the counter usually takes to record a change. */
const HISTORY_DELAY_MS = 2_000;
/** A change that is older and not in the history never will be. */
const HISTORY_PATIENCE_MS = 60_000;
/** The status in the tab's title. */
const SIGNS: Record<Status, string> = { pending: "", resolved: "✓ ", error: "✗ ", cancelled: "– " };
const NO_HISTORY: readonly HistoryEntry[] = [];

export function JobPage({ id }: { id: string }) {
  const services = useServices();
  const query = useQuery(jobQuery(services, id));
  const { data: job, error } = query;
  const view = useView(job?.kind);
  const problem = lastingProblem(query);
  const isLoaded = job !== undefined;
  // also the jobs that were created here: their end is announced
  useEffect(
    () => (isLoaded ? services.live.show([id, ...services.ownJobs.pendingIds], null) : undefined),
    [services, id, isLoaded],
  );
  if (error instanceof ApiError && (error.status === 404 || error.status === 400)) {
    return <NotFound>We couldn't find this job. Jobs are deleted after 30 days.</NotFound>;
  }
  return (
    <article className="job">
      <JobNavigation id={id} />
      {problem && <ProblemMessage error={problem} retry={() => retryFailed(services.queries)} />}
      {job && view ? <JobView job={job} view={view} /> : !error && <Loading />}
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

function JobView({ job, view }: { job: Job; view: KindView }) {
  const now = useNow();
  const texts = useJobTexts();
  const title = texts.title(job);
  const limit = texts.limit(job);
  const kind = texts.kinds?.find(({ name }) => name === job.kind);
  const props: ViewProps = { job, title, kind, place: "page", isPriority: true };
  const steps = timeline(useVersions(job), useHistory(job), limit, now);
  return (
    <>
      <title>{`${SIGNS[job.status]}${title} · Calo`}</title>
      <header>
        <div>
          <h1 dir="auto">{title}</h1>
          <JobStatus job={job} limit={limit} now={now} />
        </div>
        <JobActions job={job} title={title} edit={texts.edit(job)} />
      </header>
      <div
        className={view.isFlexible ? "frame flexible" : "frame"}
        data-status={displayStatus(job, now)}
        data-job={job.id}
        data-version={job.version}
      >
        <view.Frame {...props} />
        {job.status === "pending" && job.progress && <ProgressBar progress={job.progress} title={title} />}
        {job.error && <Failure kind={job.kind} error={job.error} />}
      </div>
      {view.Notes && <view.Notes {...props} />}
      <JobTools job={job} subject={texts.subject(job, 1)} canSucceed={texts.edit(job) === null} />
      <Timeline steps={steps} now={now} />
      <LazyDeliveries job={job} title={title} />
      <details className="details">
        <summary>
          Job {job.id}, version {job.version}, as JSON
        </summary>
        <pre>{JSON.stringify(job, null, 2)}</pre>
      </details>
    </>
  );
}

function Failure({ kind, error }: { kind: string; error: NonNullable<Job["error"]> }) {
  const { message, code, attempts } = error;
  return (
    <section className="failure" aria-label="Reason for the failure">
      <p>{message}</p>
      <p>{helpFor(kind, code)}</p>
      <p className="code">
        {code} · {attempts === 1 ? "1 attempt" : `${attempts} attempts`}
      </p>
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

/** Return the job's history. After a change it is fetched again until it has the change, which takes some seconds. */
function useHistory(job: Job): readonly HistoryEntry[] {
  const services = useServices();
  const query = useQuery({
    ...historyQuery(services, job.id),
    refetchInterval: ({ state }) =>
      isComplete(state.data ?? [], job) || Date.now() > job.updated_at + HISTORY_PATIENCE_MS
        ? false
        : HISTORY_DELAY_MS,
  });
  return query.data ?? NO_HISTORY;
}

/** Return the versions of the job that this page has received, the current one last. */
function useVersions(job: Job): readonly Job[] {
  const [versions, setVersions] = useState<readonly Job[]>([]);
  const updated = addVersion(versions, job);
  if (updated !== versions) setVersions(updated); // while rendering: https://react.dev/reference/react/useState#storing-information-from-previous-renders
  return updated;
}
