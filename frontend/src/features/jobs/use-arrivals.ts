import type { Job, JobPage, ListParams } from "calo-client/api/types";
import { hasStatus } from "calo-client/live/apply-jobs";
import { type PointerEvent, useState, useSyncExternalStore } from "react";
import { useServices } from "../../services";
import { type Arrangement, holdArrivals } from "./arrivals";
import { listUrl } from "./list-params";

/** Scrolled further than this (pixels), the first cards are no longer what the user looks at. */
const SCROLLED = 40;

interface Shown {
  list: string;
  jobs: readonly Job[];
}

interface Arrivals extends Arrangement {
  /** Show the new jobs now. */
  show(): void;
  /** For the element that contains the cards. */
  pointerHandlers: { onPointerOver(event: PointerEvent): void; onPointerLeave(): void };
}

/**
 * Arrange the jobs of a page: while the page is scrolled or a card is pointed at, no card moves. `isPrevious`: the
 * requested page is still loading, and this is the previous one.
 */
export function useArrivals(params: ListParams, page: JobPage, isPrevious: boolean): Arrivals {
  const { cache, ownJobs } = useServices();
  const isScrolled = useSyncExternalStore(subscribeToScroll, () => window.scrollY > SCROLLED);
  const [isPointing, setIsPointing] = useState(false);
  const list = isPrevious ? "" : listUrl(params);
  const [shown, setShown] = useState<Shown>({ list, jobs: page.data });

  function stillListed(job: Job): Job | null {
    const latest = cache.latest(job.id) ?? job;
    return hasStatus(latest, params) ? latest : null;
  }
  const isHeld = (isScrolled || isPointing) && shown.list === list;
  const arrangement: Arrangement = isHeld
    ? holdArrivals(page.data, shown.jobs, (job) => ownJobs.has(job.id), stillListed)
    : { jobs: page.data, arrivalCount: 0 };
  if (shown.list !== list || !areSameJobs(shown.jobs, arrangement.jobs)) {
    setShown({ list, jobs: arrangement.jobs }); // while rendering: https://react.dev/reference/react/useState#storing-information-from-previous-renders
  }
  return {
    ...arrangement,
    show: () => setShown({ list, jobs: page.data }),
    pointerHandlers: {
      onPointerOver: ({ pointerType, target }) =>
        setIsPointing(pointerType !== "touch" && (target as Element).closest(".card") !== null),
      onPointerLeave: () => setIsPointing(false),
    },
  };
}

function subscribeToScroll(listener: () => void): () => void {
  window.addEventListener("scroll", listener, { passive: true });
  return () => window.removeEventListener("scroll", listener);
}

function areSameJobs(a: readonly Job[], b: readonly Job[]): boolean {
  return a.length === b.length && a.every((job, index) => job.id === b[index]?.id);
}
