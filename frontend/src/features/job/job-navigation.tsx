import { useQueryClient } from "@tanstack/react-query";
import type { MouseEvent } from "react";
import { Link } from "wouter";
import { FROM_LIST, lastListUrl } from "../jobs/list-params";
import { adjacentJobs } from "./adjacent-jobs";

/** Links to the list, as it was left, and to the jobs before and after this one. */
export function JobNavigation({ id }: { id: string }) {
  const { newer, older } = adjacentJobs(useQueryClient(), id);
  function goBack(event: MouseEvent) {
    const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (history.state !== FROM_LIST || !isPlain) return;
    event.preventDefault(); // the browser restores the position in the list
    history.back();
  }
  return (
    <nav className="job-navigation" aria-label="Jobs">
      <Link href={lastListUrl()} className="back" onClick={goBack}>
        ← All jobs
      </Link>
      {newer && <AdjacentLink id={newer}>Newer job</AdjacentLink>}
      {older && <AdjacentLink id={older}>Older job</AdjacentLink>}
    </nav>
  );
}

/** It replaces the page in the history, so that Back returns to the list. */
function AdjacentLink({ id, children }: { id: string; children: string }) {
  return (
    <Link href={`/jobs/${id}`} className="back" replace state={history.state}>
      {children}
    </Link>
  );
}
