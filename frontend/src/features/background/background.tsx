import { useEffect } from "react";
import { useLocation } from "wouter";
import { useServices } from "../../services";
import { Announcer } from "./announcer";
import { keepFocus } from "./keep-focus";
import { resendWhenLive } from "./resend-when-live";
import { restoreScroll } from "./restore-scroll";
import { StaleNotice } from "./stale-notice";
import { watchKeys } from "./watch-keys";

/** What no page needs for its first view, on every page. */
export function Background() {
  const services = useServices();
  const [path, navigate] = useLocation();
  useEffect(keepFocus, []);
  useEffect(restoreScroll, []);
  useEffect(() => resendWhenLive(services), [services]);
  useEffect(() => watchKeys(navigate), [navigate]);
  useOwnJobs(path);
  return (
    <>
      <StaleNotice />
      <Announcer />
    </>
  );
}

/** Show the jobs that were created here and have not ended, on pages that show no jobs. */
function useOwnJobs(path: string): void {
  const { live, ownJobs } = useServices();
  useEffect(() => {
    const hasJobs = path === "/" || path.startsWith("/jobs/");
    const ids = ownJobs.pendingIds;
    return hasJobs || ids.length === 0 ? undefined : live.show(ids, null);
  }, [live, ownJobs, path]);
}
