import { useQuery } from "@tanstack/react-query";
import type { JobPage, ListParams } from "calo-client/api/types";
import { useMemo, useRef } from "react";
import { flushSync } from "react-dom";
import { Loadable, useLoaded } from "../../hooks/loadable";
import { DraftCard } from "./draft-card";
import type { Draft } from "./drafts";
import { JobCard } from "./job-card";
import { olderQuery } from "./older";
import { useArrivals } from "./use-arrivals";

const olderPages = new Loadable(async () => (await import("./older-pages")).OlderPages);
const NONE: string[] = [];

/** The number of cards that a wide screen shows without scrolling. */
const PRIORITY_CARDS = 4;

interface Props {
  params: ListParams;
  page: JobPage;
  drafts: Draft[];
  /** The requested page is still loading, and `page` is the previous one. */
  isPrevious: boolean;
}

/** The cards. New jobs wait behind a button while someone looks at them. */
export function JobGrid({ params, page, drafts, isPrevious }: Props) {
  const grid = useRef<HTMLUListElement>(null);
  const cursors = useQuery(olderQuery(params)).data ?? NONE;
  const hasOlder = cursors.length > 0 && !isPrevious;
  const { jobs, arrivalCount, show, isScrolled, pointerHandlers } = useArrivals(
    params,
    page,
    isPrevious,
    hasOlder,
  );
  const OlderPages = useLoaded(hasOlder || (isScrolled && page.next_cursor) ? olderPages : undefined);
  const shownIds = useMemo(() => new Set(jobs.map(({ id }) => id)), [jobs]);

  function showArrivals() {
    flushSync(show);
    window.scrollTo(0, 0);
    grid.current?.querySelector<HTMLElement>("[data-job] h2 a")?.focus({ preventScroll: true });
  }

  return (
    <>
      <div className="arrivals" role="status">
        {arrivalCount > 0 && (
          <button type="button" className="button" onClick={showArrivals}>
            {arrivalCount === 1 ? "1 new job" : `${arrivalCount} new jobs`}
          </button>
        )}
      </div>
      <ul ref={grid} className="grid" aria-label="Jobs" aria-busy={isPrevious} {...pointerHandlers}>
        {drafts.map((draft) => (
          <DraftCard key={draft.key} draft={draft} />
        ))}
        {jobs.map((job, index) => (
          <JobCard key={job.id} job={job} isPriority={index < PRIORITY_CARDS} />
        ))}
        {OlderPages && !isPrevious && (
          <OlderPages params={params} page={page} cursors={cursors} shownIds={shownIds} />
        )}
      </ul>
    </>
  );
}
