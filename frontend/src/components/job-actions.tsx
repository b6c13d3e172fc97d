import { useMutation } from "@tanstack/react-query";
import { ApiError } from "../api/api-error";
import type { Job } from "../api/types";
import { useServices } from "../services";
import { problemText } from "../text/problem";

/** What can be done with a job as it is now. */
export function JobActions({ job }: { job: Job }) {
  const { api, cache, live } = useServices();
  const change = useMutation({
    mutationFn: () =>
      live.changing(() => (job.status === "pending" ? api.cancel(job.id) : api.retry(job.id))),
    onSuccess: (changed) => cache.learn([changed]),
    onError: async (error) => {
      if (!(error instanceof ApiError) || error.status !== 409) return;
      cache.learn([await api.job(job.id, AbortSignal.timeout(15_000))]); // it ended meanwhile: show how
    },
  });
  if (job.status === "resolved") return null;
  return (
    <div className="actions">
      <button
        type="button"
        className="quiet"
        disabled={change.isPending}
        onClick={() => change.mutate()}
        aria-label={`${job.status === "pending" ? "Cancel" : "Try again"}: ${job.query}`}
      >
        {job.status === "pending" ? "Cancel" : "Try again"}
      </button>
      {change.isError && (
        <p className="mistake" role="alert">
          {problemText(change.error, Date.now())}
        </p>
      )}
    </div>
  );
}
