import type { Job } from "calo-client/api/types";
import { useState } from "react";
import { useNow } from "../../hooks/use-now";
import { useServices } from "../../services";
import { hasLongWait, notifyAtEnd, waitsFor } from "./notify-at-end";

/** Offers a notification for a job that is not expected to end soon. Nothing is asked of the browser before. */
export function NotifyButton({ job, subject }: { job: Job; subject: string }) {
  const services = useServices();
  const now = useNow();
  const [isRefused, setIsRefused] = useState(false);
  const [, setIsChosen] = useState(false);
  if (!("Notification" in globalThis) || !hasLongWait(job, now)) return null;
  async function choose() {
    const isGranted = (await Notification.requestPermission()) === "granted";
    if (isGranted) notifyAtEnd(services, job, subject);
    setIsRefused(!isGranted);
    setIsChosen(isGranted);
  }
  const isChosen = waitsFor(job.id);
  return (
    <span>
      <button type="button" className="text-button" aria-disabled={isChosen} onClick={choose}>
        Notify me when it ends
      </button>{" "}
      <span role="status" className="outcome">
        {isRefused && "The browser does not allow notifications from this site."}
        {isChosen && "You will be notified while a tab of Calo is open."}
      </span>
    </span>
  );
}
