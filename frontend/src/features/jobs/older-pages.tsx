import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { JobPage, ListParams } from "calo-client/api/types";
import { useEffect, useState } from "react";
import { createPortal } from "react-dom";
import { jobsQuery } from "../../queries";
import { useServices } from "../../services";
import { JobCard } from "./job-card";
import { setOlder } from "./older";

/** After these, the link to the next page continues. More cards would make the page slow. */
export const MAX_OLDER_PAGES = 10;
/** The next page is loaded when the end is this close (pixels). */
const NEAR_END = 300;
/** A click on a link of the pager scrolls there first: the link must not move away. */
const SETTLED_MS = 300;

interface Props {
  params: ListParams;
  page: JobPage;
  cursors: string[];
  /** The ids of the cards above. */
  shownIds: ReadonlySet<string>;
}

/** The cards of the pages that are loaded while scrolling. */
export function OlderPages({ params, page, cursors, shownIds }: Props) {
  const queries = useQueryClient();
  const [loadedCount, setLoadedCount] = useState(0);
  const services = useServices();
  const lastCursor = cursors.at(-1);
  const last = useQuery({
    ...jobsQuery(services, { ...params, page: 1, cursor: lastCursor ?? null }),
    enabled: lastCursor !== undefined,
    placeholderData: undefined,
    staleTime: Number.POSITIVE_INFINITY,
  }).data;
  const end = lastCursor === undefined ? page : last;
  const next = cursors.length < MAX_OLDER_PAGES ? end?.next_cursor : null;
  useEffect(() => {
    if (!next) return;
    return whenNearEnd(() => {
      setOlder(queries, params, [...cursors, next]);
      setLoadedCount(cursors.length + 1);
    });
  }, [queries, params, cursors, next]);
  return (
    <>
      {cursors.map((cursor) => (
        <OlderPage key={cursor} params={{ ...params, page: 1, cursor }} shownIds={shownIds} />
      ))}
      {createPortal(
        <p role="status" className="visually-hidden">
          {loadedCount > 0 && (last ? `${last.data.length} older jobs loaded` : "Loading older jobs")}
        </p>,
        document.body,
      )}
    </>
  );
}

function OlderPage({ params, shownIds }: Pick<Props, "params" | "shownIds">) {
  const query = jobsQuery(useServices(), params);
  const { data } = useQuery({ ...query, placeholderData: undefined, staleTime: Number.POSITIVE_INFINITY });
  return data?.data
    .filter(({ id }) => !shownIds.has(id))
    .map((job) => <JobCard key={job.id} job={job} isPriority={false} />);
}

/** Call back when the end of the page is near and the user does not use the pager. Return a function that stops. */
function whenNearEnd(callback: () => void): () => void {
  let timer = 0;
  function check() {
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      const { scrollHeight } = document.documentElement;
      const isNear = window.scrollY > 0 && scrollHeight - window.scrollY - window.innerHeight < NEAR_END;
      if (isNear && !document.querySelector(".pager:is(:hover, :focus-within)")) callback();
    }, SETTLED_MS);
  }
  check();
  window.addEventListener("scroll", check, { passive: true });
  return () => {
    clearTimeout(timer);
    window.removeEventListener("scroll", check);
  };
}
