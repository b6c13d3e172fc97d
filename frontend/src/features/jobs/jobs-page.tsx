import { useQuery } from "@tanstack/react-query";
import { isFirstPage, type JobPage, type ListParams, type Status } from "calo-client/api/types";
import { retryFailed } from "calo-client/live/recovery";
import { useEffect, useMemo, useState } from "react";
import { Link, useSearchParams } from "wouter";
import { ProblemMessage } from "../../components/problem-message";
import { Loadable, useLoaded } from "../../hooks/loadable";
import { jobsQuery, kindsQuery, lastingProblem, statsQuery } from "../../queries";
import { useServices } from "../../services";
import { CreateForm } from "../create/create-form";
import { BudgetMeter } from "./budget-meter";
import { draftsQuery } from "./drafts";
import { JobGrid } from "./job-grid";
import { isFiltered, listUrl, parseListParams } from "./list-params";
import { StatusFilter } from "./status-filter";

const SKELETONS = ["a", "b", "c", "d", "e", "f", "g", "h"];

/** How often the list of another owner is fetched. */
const OTHERS_MS = 10_000;
const pager = new Loadable(async () => (await import("./pager")).Pager);
const finder = new Loadable(async () => (await import("../find/job-finder")).JobFinder);

export function JobsPage() {
  const services = useServices();
  const [search] = useSearchParams();
  const params = useMemo(() => parseListParams(search), [search]);
  const list = useQuery({
    ...jobsQuery(services, params),
    // the stream does not say whose a new job is
    refetchInterval: params.owner ? OTHERS_MS : false,
  });
  const stats = useQuery(statsQuery(services));
  const allDrafts = useQuery(draftsQuery).data ?? [];
  const drafts = isFirstPage(params) && !isFiltered(params) ? allDrafts : [];
  useLiveList(list.data);
  const kinds = useQuery(kindsQuery(services));
  const problem = lastingProblem(list) ?? lastingProblem(kinds);
  return (
    <>
      <title>Calo</title>
      <h1 className="visually-hidden">Jobs</h1>
      <CreateForm params={params} />
      <div className="overview">
        <StatusFilter params={params} stats={stats.data} />
        {stats.data?.budget && <BudgetMeter budget={stats.data.budget} />}
      </div>
      <Find params={params} />
      {problem && <ProblemMessage error={problem} retry={() => retryFailed(services.queries)} />}
      {list.data ? (
        list.data.data.length + drafts.length > 0 ? (
          <JobGrid params={params} page={list.data} drafts={drafts} isPrevious={list.isPlaceholderData} />
        ) : (
          <EmptyState params={params} hasOlder={list.data.next_cursor !== null} />
        )
      ) : (
        list.isPending && <Skeleton />
      )}
      {list.data && <Pages params={params} page={list.data} />}
    </>
  );
}

/** Links to other pages. There are none in a short list, so their code is not always needed. */
function Pages({ params, page }: { params: ListParams; page: JobPage }) {
  const Pager = useLoaded(page.next_cursor === null && isFirstPage(params) ? undefined : pager);
  return Pager && <Pager params={params} page={page} />;
}

/** Finds jobs by anything but their status. Its code is loaded when it is opened. */
function Find({ params }: { params: ListParams }) {
  const filtered = isFiltered(params);
  const [isOpen, setIsOpen] = useState(filtered);
  const JobFinder = useLoaded(isOpen || filtered ? finder : undefined);
  return (
    <details
      className="find"
      open={isOpen || filtered}
      onToggle={({ currentTarget }) => setIsOpen(currentTarget.open)}
    >
      <summary>Find jobs</summary>
      {JobFinder && <JobFinder key={listUrl(params)} params={params} />}
    </details>
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

/** The API examines a limited number of jobs for each page of a filtered list. */
const NOT_YET: EmptyText = { title: "No such job among the newest", text: "There may be older ones." };
const NOT_FOUND: EmptyText = { title: "No such jobs", text: "No job matches the filter." };

function emptyText(params: ListParams, hasOlder: boolean): EmptyText {
  if (isFiltered(params)) return hasOlder ? NOT_YET : NOT_FOUND;
  if (!isFirstPage(params)) return EMPTY_PAGE;
  return params.status ? EMPTY_FILTER[params.status] : NO_JOBS;
}

function EmptyState({ params, hasOlder }: { params: ListParams; hasOlder: boolean }) {
  const { title, text } = emptyText(params, hasOlder);
  const isWholeList = params.status === null && isFirstPage(params) && !isFiltered(params);
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
