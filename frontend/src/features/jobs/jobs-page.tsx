import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { Link, useSearchParams } from "wouter";
import { isFirstPage, type JobPage, type Place } from "../../api/types";
import { ProblemMessage } from "../../components/problem-message";
import { jobsQuery, statsQuery } from "../../queries";
import { useServices } from "../../services";
import { BudgetMeter } from "./budget-meter";
import { CreateForm } from "./create-form";
import { DraftCard } from "./draft-card";
import { type Draft, draftsQuery } from "./drafts";
import { JobCard } from "./job-card";
import { Pager } from "./pager";
import { placeOf } from "./place";
import { StatusFilter } from "./status-filter";

/** Cards that a wide screen shows without scrolling. */
const FIRST = 4;
const SKELETONS = ["a", "b", "c", "d", "e", "f", "g", "h"];

export function JobsPage() {
  const services = useServices();
  const [search] = useSearchParams();
  const place = useMemo(() => placeOf(search), [search]);
  const list = useQuery(jobsQuery(services, place));
  const stats = useQuery(statsQuery(services));
  const drafts = useQuery(draftsQuery).data ?? [];
  useLiveList(list.data);
  return (
    <>
      <title>Calo</title>
      <h1 className="unseen">Jobs</h1>
      <CreateForm place={place} />
      <div className="overview">
        <StatusFilter place={place} counts={stats.data?.counts} />
        {stats.data && <BudgetMeter budget={stats.data.budget} />}
      </div>
      {list.error && <ProblemMessage error={list.error} retry={() => void list.refetch()} />}
      {list.data ? (
        <JobGrid
          place={place}
          page={list.data}
          drafts={isFirstPage(place) ? drafts : []}
          isPrevious={list.isPlaceholderData}
        />
      ) : (
        list.isPending && <Skeleton failure={list.failureReason} />
      )}
      {list.data && <Pager place={place} page={list.data} />}
    </>
  );
}

/** Listen to all jobs from the first list on, for as long as the page is shown. */
function useLiveList(page: JobPage | undefined): void {
  const { live } = useServices();
  const isLoaded = page !== undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the stream keeps its own place after that
  useEffect(() => (page ? live.show(null, page.live_cursor) : undefined), [live, isLoaded]);
}

interface GridProps {
  place: Place;
  page: JobPage;
  drafts: Draft[];
  /** The page that was asked for is still on its way; this is the one before. */
  isPrevious: boolean;
}

function JobGrid({ place, page, drafts, isPrevious }: GridProps) {
  if (page.data.length + drafts.length === 0) return <Empty place={place} />;
  return (
    <ul className="grid" aria-label="Jobs" aria-busy={isPrevious}>
      {drafts.map((draft) => (
        <DraftCard key={draft.key} draft={draft} />
      ))}
      {page.data.map((job, index) => (
        <JobCard key={job.id} job={job} isFirst={index < FIRST} />
      ))}
    </ul>
  );
}

function Empty({ place }: { place: Place }) {
  const isAll = place.status === null && isFirstPage(place);
  return (
    <section className="blank">
      <h2>{isAll ? "No jobs yet" : "No such jobs"}</h2>
      <p>
        {isAll
          ? "Ask for a photo of something, and watch it come."
          : "None of the jobs is like this right now."}
      </p>
      {!isAll && (
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
        {SKELETONS.map((name) => (
          <li key={name} className="card skeleton">
            <div className="frame" />
            <div className="caption" />
          </li>
        ))}
      </ul>
    </>
  );
}
