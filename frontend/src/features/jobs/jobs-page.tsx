import { useQuery } from "@tanstack/react-query";
import { ApiError } from "calo-client/api/api-error";
import { isFirstPage, type JobPage, type ListParams } from "calo-client/api/types";
import { retryFailed } from "calo-client/live/recovery";
import { useEffect, useMemo, useState } from "react";
import { useSearchParams } from "wouter";
import { ProblemMessage } from "../../components/problem-message";
import { Loadable, useLoaded } from "../../hooks/loadable";
import { jobsQuery, kindsQuery, lastingProblem, statsQuery } from "../../queries";
import { useServices } from "../../services";
import { CreateForm } from "../create/create-form";
import { BudgetMeter } from "./budget-meter";
import { draftsQuery } from "./drafts";
import { JobGrid } from "./job-grid";
import { LazyBulkChange } from "./lazy-bulk-change";
import { isFiltered, listUrl, parseListParams, rememberList } from "./list-params";
import { STATUS_NAMES, StatusFilter } from "./status-filter";

const SKELETONS = ["a", "b", "c", "d", "e", "f", "g", "h"];

/** How often the list of another owner is fetched. */
const OTHERS_MS = 10_000;
const emptyState = new Loadable(async () => (await import("./empty-state")).EmptyState);
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
  const isInvalid = problem instanceof ApiError && problem.status === 400;
  useEffect(() => rememberList(params), [params]);
  return (
    <>
      <title>{titleOf(params)}</title>
      <h1 className="visually-hidden">Jobs</h1>
      <CreateForm params={params} edit={search.get("edit")} />
      <div id="jobs" tabIndex={-1} className="overview">
        <StatusFilter params={params} stats={stats.data} />
        {stats.data?.budget && <BudgetMeter budget={stats.data.budget} />}
      </div>
      <Find params={params} />
      {!isFiltered(params) && <LazyBulkChange params={params} counts={stats.data?.counts} />}
      {isInvalid ? (
        <Empty params={params} page={null} />
      ) : (
        problem && <ProblemMessage error={problem} retry={() => retryFailed(services.queries)} />
      )}
      {list.data ? (
        list.data.data.length + drafts.length > 0 ? (
          <JobGrid params={params} page={list.data} drafts={drafts} isPrevious={list.isPlaceholderData} />
        ) : (
          <Empty params={params} page={list.data} />
        )
      ) : (
        list.isPending && <Skeleton />
      )}
      {list.data && <Pages params={params} page={list.data} />}
    </>
  );
}

/** What a list without jobs shows. Its code is not needed for others. */
function Empty(props: { params: ListParams; page: JobPage | null }) {
  const EmptyState = useLoaded(emptyState);
  return EmptyState && <EmptyState {...props} />;
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

/** Return the title of the page: "Failed jobs, page 2 · Calo". */
function titleOf({ status, page }: ListParams): string {
  const name = status && `${STATUS_NAMES[status]} jobs`;
  return [[name, page > 1 && `page ${page}`].filter(Boolean).join(", "), "Calo"].filter(Boolean).join(" · ");
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
