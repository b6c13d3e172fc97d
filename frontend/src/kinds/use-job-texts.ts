import { useQuery } from "@tanstack/react-query";
import type { Job, JobContent, Kind } from "calo-client/api/types";
import { kindsQuery } from "../queries";
import { useServices } from "../services";
import { jobTitle } from "../text/job-title";
import { viewOf } from "./kind-view";

interface JobTexts {
  kinds: Kind[] | undefined;
  title(job: JobContent): string;
  /** For sentences: "… is ready". */
  subject(job: JobContent, count: number): string;
  limit(job: Job): string;
  /** What the link says that edits the input, or null if a retry may succeed. */
  edit(job: Job): string | null;
}

/** Return what people call jobs of any kind. The view of their kind is loaded: they are on the page. */
export function useJobTexts(): JobTexts {
  const kinds = useQuery(kindsQuery(useServices())).data;
  const title = (job: JobContent) => viewOf(job.kind)?.title?.(job) ?? jobTitle(job, kinds);
  return {
    kinds,
    title,
    subject: (job, count) =>
      viewOf(job.kind)?.subject?.(job, count) ?? (count === 1 ? title(job) : `${count} × ${title(job)}`),
    edit: ({ kind, error }) => {
      const edit = viewOf(kind)?.edit;
      const isHopeless = error !== null && ["bad_input", ...(edit?.codes ?? [])].includes(error.code);
      return isHopeless ? (edit?.text ?? "Edit input") : null;
    },
    limit: (job) => viewOf(job.kind)?.limit ?? "a rate limit",
  };
}
