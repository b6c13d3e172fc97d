import type { Job, JobPage, ListParams } from "calo-client/api/types";
import { matches } from "calo-client/live/apply-jobs";
import { type PointerEvent, useEffect, useState, useSyncExternalStore } from "react";
import { useServices } from "../../services";
import { type Arrangement, holdArrivals } from "./arrivals";
import { listUrl } from "./list-params";
import { rememberShown, setOlder, shownAbove } from "./older";

/** Scrolled further than this (pixels), the first cards are no longer what the user looks at. */
const SCROLLED = 40;
/** With older pages below, the first page keeps up to this many cards. */
const MAX_CARDS = 200;

interface Shown {
  list: string;
  jobs: readonly Job[];
}

interface Arrivals extends Arrangement {
  /** Show the new jobs now. */
  show(): void;
  isScrolled: boolean;
  /** For the element that contains the cards. */
  pointerHandlers: { onPointerOver(event: PointerEvent): void; onPointerLeave(): void };
}

/**
 * Arrange the jobs of a page: while the page is scrolled or a card is pointed at, no card moves. `isPrevious`: the
 * requested page is still loading, and this is the previous one. `hasOlder`: older pages are shown below, so a card that
 * the arrivals push off this page stays.
 */
export function useArrivals(
  params: ListParams,
  page: JobPage,
  isPrevious: boolean,
  hasOlder: boolean,
): Arrivals {
  const { cache, ownJobs, queries } = useServices();
  const isScrolled = useSyncExternalStore(subscribeToScroll, () => window.scrollY > SCROLLED);
  const [isPointing, setIsPointing] = useState(false);
  const list = isPrevious ? "" : listUrl(params);
  const [shown, setShown] = useState<Shown>(() => ({
    list,
    jobs: hasOlder ? shownAbove(params) : page.data,
  }));

  function stillListed(job: Job): Job | null {
    const latest = cache.latest(job.id) ?? job;
    return matches(latest, params) ? latest : null;
  }
  const isSameList = shown.list === list;
  const cards = isSameList ? shown.jobs : hasOlder ? shownAbove(params) : [];
  const isHeld = (isScrolled || isPointing) && (isSameList || hasOlder);
  const arrangement: Arrangement =
    isHeld || hasOlder
      ? holdArrivals(page.data, cards, (job) => !isHeld || ownJobs.has(job.id), stillListed)
      : { jobs: page.data, arrivalCount: 0 };
  // otherwise jobs may be missing between this page and the older ones
  const isContinuous = cards.length === 0 || page.data.some(({ id }) => cards.some((card) => card.id === id));
  const mustForget = hasOlder && !isHeld && !(isContinuous && arrangement.jobs.length <= MAX_CARDS);
  useEffect(() => {
    if (mustForget) setOlder(queries, params, []);
    else if (hasOlder) rememberShown(listUrl(params), arrangement.jobs);
  });
  if (shown.list !== list || !areSameJobs(shown.jobs, arrangement.jobs)) {
    setShown({ list, jobs: arrangement.jobs }); // while rendering: https://react.dev/reference/react/useState#storing-information-from-previous-renders
  }
  return {
    ...arrangement,
    isScrolled,
    show: () => {
      setOlder(queries, params, []);
      setShown({ list, jobs: page.data });
    },
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
