import { useQuery } from "@tanstack/react-query";
import { isFirstPage, type JobPage, type ListParams, type Status } from "calo-client/api/types";
import { retryFailed } from "calo-client/live/recovery";
import { useEffect, useMemo } from "react";
import { Link, useSearchParams } from "wouter";
import { ProblemMessage } from "../../components/problem-message";
import { jobsQuery, kindsQuery, lastingProblem, statsQuery } from "../../queries";
import { useServices } from "../../services";
import { CreateForm } from "../create/create-form";
import { BudgetMeter } from "./budget-meter";
import { draftsQuery } from "./drafts";
import { JobGrid } from "./job-grid";
import { parseListParams } from "./list-params";
import { Pager } from "./pager";
import { StatusFilter } from "./status-filter";

const SKELETONS = ["a", "b", "c", "d", "e", "f", "g", "h"];

export function JobsPage() {
  const services = useServices();
  const [search] = useSearchParams();
  const params = useMemo(() => parseListParams(search), [search]);
  const list = useQuery(jobsQuery(services, params));
  const stats = useQuery(statsQuery(services));
  const allDrafts = useQuery(draftsQuery).data ?? [];
  const drafts = isFirstPage(params) ? allDrafts : [];
  useLiveList(list.data);
  const kinds = useQuery(kindsQuery(services));
  const problem = lastingProblem(list) ?? lastingProblem(kinds);
  return (
    <>
      <title>Calo</title>
      <h1 className="visually-hidden">Jobs</h1>
      <CreateForm params={params} />
      <div className="overview">
        <StatusFilter params={params} counts={stats.data?.counts} />
        {stats.data?.budget && <BudgetMeter budget={stats.data.budget} />}
      </div>
      {problem && <ProblemMessage error={problem} retry={() => retryFailed(services.queries)} />}
      {list.data ? (
        list.data.data.length + drafts.length > 0 ? (
          <JobGrid params={params} page={list.data} drafts={drafts} isPrevious={list.isPlaceholderData} />
        ) : (
          <EmptyState params={params} />
        )
      ) : (
        list.isPending && <Skeleton />
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

interface EmptyText {
  title: string;
  text: string;
}

const NO_JOBS: EmptyText = {
  title: "No jobs yet",
  text: "Create one above. It will appear here.",
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

function Skeleton() {
  return (
    <ul className="grid" aria-label="Loading jobs" aria-busy="true">
      {SKELETONS.map((key) => (
        <li key={key} className="card skeleton">
          <div className="frame" />
          <div className="caption" />
        </li>
      ))}
    </ul>
  );
}
