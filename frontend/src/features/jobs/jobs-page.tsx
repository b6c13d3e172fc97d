import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { Link, useSearchParams } from "wouter";
import { isFirstPage, type JobPage, type ListParams, type Status } from "../../api/types";
import { ProblemMessage } from "../../components/problem-message";
import { jobsQuery, statsQuery } from "../../queries";
import { useServices } from "../../services";
import { BudgetMeter } from "./budget-meter";
import { CreateForm } from "./create-form";
import { DraftCard } from "./draft-card";
import { type Draft, draftsQuery } from "./drafts";
import { JobCard } from "./job-card";
import { parseListParams } from "./list-params";
import { Pager } from "./pager";
import { StatusFilter } from "./status-filter";

/** The number of cards that a wide screen shows without scrolling. */
const PRIORITY_CARDS = 4;
const SKELETONS = ["a", "b", "c", "d", "e", "f", "g", "h"];

export function JobsPage() {
  const services = useServices();
  const [search] = useSearchParams();
  const params = useMemo(() => parseListParams(search), [search]);
  const list = useQuery(jobsQuery(services, params));
  const stats = useQuery(statsQuery(services));
  const drafts = useQuery(draftsQuery).data ?? [];
  useLiveList(list.data);
  return (
    <>
      <title>Calo</title>
      <h1 className="visually-hidden">Jobs</h1>
      <CreateForm params={params} />
      <div className="overview">
        <StatusFilter params={params} counts={stats.data?.counts} />
        {stats.data && <BudgetMeter budget={stats.data.budget} />}
      </div>
      {list.error && <ProblemMessage error={list.error} retry={() => void list.refetch()} />}
      {list.data ? (
        <JobGrid
          params={params}
          page={list.data}
          drafts={isFirstPage(params) ? drafts : []}
          isPrevious={list.isPlaceholderData}
        />
      ) : (
        list.isPending && <Skeleton failure={list.failureReason} />
      )}
      {list.data && <Pager params={params} page={list.data} />}
    </>
  );
}

/** Show the changes of all jobs since the first loaded list, until the page is closed. */
function useLiveList(page: JobPage | undefined): void {
  const { live } = useServices();
  const isLoaded = page !== undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: later pages do not move the cursor
  useEffect(() => (page ? live.show(null, page.live_cursor) : undefined), [live, isLoaded]);
}

interface GridProps {
  params: ListParams;
  page: JobPage;
  drafts: Draft[];
  /** The requested page is still loading, and `page` is the previous one. */
  isPrevious: boolean;
}

function JobGrid({ params, page, drafts, isPrevious }: GridProps) {
  if (page.data.length + drafts.length === 0) return <EmptyState params={params} />;
  return (
    <ul className="grid" aria-label="Jobs" aria-busy={isPrevious}>
      {drafts.map((draft) => (
        <DraftCard key={draft.key} draft={draft} />
      ))}
      {page.data.map((job, index) => (
        <JobCard key={job.id} job={job} isPriority={index < PRIORITY_CARDS} />
      ))}
    </ul>
  );
}

interface EmptyText {
  title: string;
  text: string;
}

const NO_JOBS: EmptyText = {
  title: "No jobs yet",
  text: "Type a topic above. Your photo will appear here.",
};
const EMPTY_PAGE: EmptyText = { title: "No jobs on this page", text: "The list ends before this page." };
const EMPTY_FILTER: Record<Status, EmptyText> = {
  pending: { title: "No pending jobs", text: "Nothing is pending." },
  resolved: { title: "No ready jobs", text: "Nothing is ready yet." },
  error: { title: "No failed jobs", text: "Nothing has failed." },
  cancelled: { title: "No cancelled jobs", text: "Nothing was cancelled." },
};

function emptyText(params: ListParams): EmptyText {
  if (!isFirstPage(params)) return EMPTY_PAGE;
  return params.status ? EMPTY_FILTER[params.status] : NO_JOBS;
}

function EmptyState({ params }: { params: ListParams }) {
  const { title, text } = emptyText(params);
  const isWholeList = params.status === null && isFirstPage(params);
  return (
    <section className="empty-state">
      <h2>{title}</h2>
      <p>{text}</p>
      {!isWholeList && (
        <Link href="/" className="button">
          All jobs
        </Link>
      )}
    </section>
  );
}

function Skeleton({ failure }: { failure: Error | null }) {
  return (
    <>
      {failure && <ProblemMessage error={failure} />}
      <ul className="grid" aria-label="Loading jobs" aria-busy="true">
        {SKELETONS.map((key) => (
          <li key={key} className="card skeleton">
            <div className="frame" />
            <div className="caption" />
          </li>
        ))}
      </ul>
    </>
  );
}
