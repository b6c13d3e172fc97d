import { useQueryClient } from "@tanstack/react-query";
import type { Budget } from "calo-client/api/types";
import { STATS } from "calo-client/live/job-cache";
import { useEffect } from "react";
import { useNow } from "../../hooks/use-now";
import { clockTime } from "../../text/time";

/** The number of requests to Unsplash that remain in this hour. */
export function BudgetMeter({ budget }: { budget: Budget }) {
  const queries = useQueryClient();
  const now = useNow();
  const { limit, remaining, resets_at: resetsAt } = budget;
  useEffect(() => {
    if (resetsAt === null) return;
    const wait = Math.max(0, resetsAt - Date.now()) + 1_000;
    const timer = setTimeout(() => void queries.invalidateQueries({ queryKey: [STATS] }), wait);
    return () => clearTimeout(timer);
  }, [queries, resetsAt]);
  return (
    <div className="budget" title="Unsplash limits requests per hour. One request returns up to 30 photos.">
      <meter aria-label="Unsplash requests left" min={0} max={limit} value={remaining} />
      <p>{budgetText(budget, now)}</p>
    </div>
  );
}

function budgetText({ limit, remaining, resets_at: resetsAt }: Budget, now: number): string {
  const resetTime = resetsAt && clockTime(resetsAt, now);
  if (remaining === 0 && resetTime) return `No Unsplash requests left until ${resetTime}`;
  return `${remaining} of ${limit} requests left${resetTime ? `, resets at ${resetTime}` : ""}`;
}
