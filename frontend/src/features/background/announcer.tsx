import type { Job } from "calo-client/api/types";
import { useEffect, useState } from "react";
import { useJobTexts } from "../../kinds/use-job-texts";
import { useServices } from "../../services";
import { announcement } from "./announcement";

/** Jobs are announced together when none has changed for a moment: a longer one if others may end soon. */
const MOMENT_MS = 500;
const PENDING_MOMENT_MS = 2_000;
const LATEST_MS = 10_000;

/** Announces to screen readers what has happened to the jobs that were created or changed on this page. */
export function Announcer() {
  const { ownJobs } = useServices();
  const { subject } = useJobTexts();
  const [jobs, setJobs] = useState<readonly Job[]>([]);
  useEffect(() => {
    const changed = new Map<string, Job>();
    let timer: number | undefined;
    let latest = 0;
    const announce = () => {
      setJobs([...changed.values()]);
      changed.clear();
    };
    const unsubscribe = ownJobs.subscribe(() => {
      if (changed.size === 0) latest = Date.now() + LATEST_MS;
      for (const job of ownJobs.lastChanged()) changed.set(job.id, job);
      clearTimeout(timer);
      const moment = ownJobs.pendingIds.length > 0 ? PENDING_MOMENT_MS : MOMENT_MS;
      timer = window.setTimeout(announce, Math.min(moment, latest - Date.now()));
    });
    return () => {
      unsubscribe();
      clearTimeout(timer);
    };
  }, [ownJobs]);
  return (
    <div className="visually-hidden" aria-live="polite">
      {/* a new element, so that the same text is announced again */}
      <span key={jobs.map(({ id, version }) => `${id} ${version}`).join()}>
        {announcement(jobs, subject)}
      </span>
    </div>
  );
}
