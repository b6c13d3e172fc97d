import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Stats } from "../../api/types";
import { useNow } from "../../hooks/use-now";
import { STATS } from "../../live/job-cache";
import { clockTime } from "../../text/time";

/** What is left of the requests that the third party allows. */
export function BudgetMeter({ budget }: { budget: Stats["budget"] }) {
  const queries = useQueryClient();
  const now = useNow();
  const { limit, remaining, resets_at: resetsAt } = budget;
  useEffect(() => {
    if (resetsAt === null) return;
    const wait = Math.max(0, resetsAt - Date.now()) + 1_000;
    const timer = setTimeout(() => void queries.invalidateQueries({ queryKey: [STATS] }), wait);
    return () => clearTimeout(timer);
  }, [queries, resetsAt]);
  const words = `${remaining} of ${limit} requests left${resetsAt ? `, resets at ${clockTime(resetsAt, now)}` : ""}`;
  return (
    <div className="budget" title="Requests that Unsplash allows in an hour; one brings up to 30 photos">
      <meter aria-label="Request budget" min={0} max={limit} value={remaining} />
      <p>{words}</p>
    </div>
  );
}
