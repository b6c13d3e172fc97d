import { useMutation } from "@tanstack/react-query";
import { ApiError } from "calo-client/api/api-error";
import type { Job } from "calo-client/api/types";
import { useServices } from "../services";
import { problemText } from "../text/problem";

/** A button that cancels a pending job, or retries a failed or cancelled job. */
export function JobActions({ job, title }: { job: Job; title: string }) {
  const { api, cache, live, ownJobs, queries } = useServices();
  const isPending = job.status === "pending";
  const mutationKey = ["change", job.id];
  const mutation = useMutation({
    mutationKey,
    mutationFn: () => live.expectEventFor(() => (isPending ? api.cancelJob(job.id) : api.retryJob(job.id))),
    onSuccess: (updated) => {
      cache.update([updated]);
      ownJobs.recordRequest(updated);
    },
    onError: async (error) => {
      if (!(error instanceof ApiError) || error.status !== 409) return;
      // the job has changed in the meantime: show its current version
      cache.update([await api.getJob(job.id, AbortSignal.timeout(15_000))]);
    },
  });
  function change() {
    // `mutation.isPending` is that of the last rendering, which a second click may precede
    if (queries.isMutating({ mutationKey }) === 0) mutation.mutate();
  }
  if (job.status === "resolved") return null;
  const label = isPending ? "Cancel" : "Try again";
  return (
    <div className="actions">
      <button
        type="button"
        className="text-button"
        // not `disabled`, which would take the focus away
        aria-disabled={mutation.isPending}
        onClick={change}
        aria-label={`${label}: ${title}`}
      >
        {label}
      </button>
      {mutation.isError && (
        <p className="error" role="alert">
          {problemText(mutation.error, Date.now())}
        </p>
      )}
    </div>
  );
}
