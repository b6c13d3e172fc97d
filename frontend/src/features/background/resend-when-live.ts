import { ApiError } from "calo-client/api/api-error";
import type { Services } from "../../services";
import { draftsQuery, resendDrafts } from "../jobs/drafts";

/**
 * When the connection is live again, send the drafts that could not be sent without one. Their keys make it safe
 * to send them again. Return a function that ends this.
 */
export function resendWhenLive(services: Services): () => void {
  const { live, queries } = services;
  function resend(): void {
    if (live.status() !== "live") return;
    const drafts = queries.getQueryData(draftsQuery.queryKey) ?? [];
    resendDrafts(
      services,
      drafts.filter(({ error }) => error instanceof ApiError && error.isTransient),
    );
  }
  resend();
  return live.subscribe(resend);
}
