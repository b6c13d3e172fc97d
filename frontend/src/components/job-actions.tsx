import { ApiError } from "calo-client/api/api-error";
import type { Job } from "calo-client/api/types";
import { useRef, useState } from "react";
import { Link } from "wouter";
import { KEEP_FOCUS } from "../hooks/use-focus-on-navigation";
import { useServices } from "../services";
import { problemText } from "../text/problem";

interface Props {
  job: Job;
  title: string;
  /** What the link says that edits the input, or null if a retry may succeed. */
  edit: string | null;
}

/** A button that cancels a pending job, or retries a failed or cancelled job. If only another input helps, a link. */
export function JobActions({ job, title, edit }: Props) {
  const { api, cache, live, ownJobs } = useServices();
  const [isSending, setIsSending] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const isLocked = useRef(false); // `isSending` is that of the last rendering, which a second click may precede
  if (job.status === "resolved") return null;
  const isPending = job.status === "pending";
  const { id } = job;

  async function change() {
    if (isLocked.current) return;
    isLocked.current = true;
    setIsSending(true);
    setProblem(null);
    try {
      const updated = await live.expectEventFor(() => (isPending ? api.cancelJob(id) : api.retryJob(id)));
      cache.update([updated]);
      ownJobs.recordRequest(updated);
    } catch (error) {
      setProblem(error);
      if (error instanceof ApiError && error.status === 409) void showCurrent();
    }
    isLocked.current = false;
    setIsSending(false);
  }

  /** The job has changed in the meantime. */
  async function showCurrent() {
    const current = await api.getJob(id, AbortSignal.timeout(15_000)).catch(() => null);
    if (current) cache.update([current]);
  }

  const label = edit ?? (isPending ? "Cancel" : "Try again");
  return (
    <div className="actions">
      {edit ? (
        <Link href={`/?edit=${id}`} state={KEEP_FOCUS} className="text-button">
          {label}
          <span className="visually-hidden">: {title}</span>
        </Link>
      ) : (
        // not `disabled`, which would take the focus away
        <button
          type="button"
          className="text-button"
          aria-disabled={isSending}
          onClick={change}
          aria-label={`${label}: ${title}`}
        >
          {label}
        </button>
      )}
      {problem !== null && (
        <p className="error" role="alert">
          {problemText(problem, Date.now())}
        </p>
      )}
    </div>
  );
}
