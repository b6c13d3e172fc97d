import { isFirstPage, type JobPage, type ListParams, type Status } from "calo-client/api/types";
import { Link } from "wouter";
import { viewOf } from "../../kinds/kind-view";
import { rememberedKind } from "../create/remembered-kind";
import { isFiltered } from "./list-params";

interface EmptyText {
  title: string;
  text: string;
}

const NO_JOBS: EmptyText = {
  title: "No jobs yet",
  text: "Create one above. It will appear here.",
};
const INVALID_LINK: EmptyText = {
  title: "This link is no longer valid",
  text: "It is from another list, or the list has changed.",
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
  if (params.status) return EMPTY_FILTER[params.status];
  return viewOf(rememberedKind())?.form?.empty ?? NO_JOBS;
}

/** What a list without jobs shows, or one whose link is not valid: then `page` is null. */
export function EmptyState({ params, page }: { params: ListParams; page: JobPage | null }) {
  const { title, text } = page ? emptyText(params, page.next_cursor !== null) : INVALID_LINK;
  const isAll = isFirstPage(params) && params.status === null && !isFiltered(params);
  return (
    <section className={page ? "empty-state" : "empty-state not-live"}>
      <h2>{title}</h2>
      <p>{text}</p>
      {!isAll && (
        <Link href="/" className="button">
          {page ? "All jobs" : "Newest jobs"}
        </Link>
      )}
    </section>
  );
}
