/** Tells people who do not see the page how the jobs that they asked for have ended. */

import { useEffect, useState } from "react";
import type { Job } from "../api/types";
import { useServices } from "../services";
import { ownEnded } from "./own-jobs";

export function Announcer() {
  const { live } = useServices();
  const [words, setWords] = useState("");
  useEffect(() => {
    live.onNews = (jobs) => {
      const ended = ownEnded(jobs);
      if (ended.length) setWords(ended.map(endOf).join(", "));
    };
  }, [live]);
  return (
    <div className="unseen" aria-live="polite">
      {words}
    </div>
  );
}

function endOf(job: Job): string {
  return `${job.query}: ${job.status === "resolved" ? "the photo is there" : job.status}`;
}
