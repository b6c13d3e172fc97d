/** When to ask again for a webhook's deliveries. All times are epoch ms. */

import type { DeliveryList } from "calo-client/api/types";

const SOON_MS = 2_000;
const LONGEST_MS = 60_000;
/** How long after the job's end, or a request, the next delivery is expected at any moment. */
const EXPECTED_MS = 30_000;

/**
 * Return after how many ms to ask again, or false if nothing will change.
 *
 * `requestedAt` is when the job ended, or when the webhook was sent again.
 */
export function askAgainAfter(
  list: DeliveryList | undefined,
  requestedAt: number,
  now: number,
): number | false {
  if (!list || list.host === null) return false;
  if (list.next_at !== null) return Math.min(LONGEST_MS, Math.max(SOON_MS, list.next_at - now + SOON_MS));
  const isAnswered = list.data.some(({ at }) => at >= requestedAt);
  return !isAnswered && now - requestedAt < EXPECTED_MS ? SOON_MS : false;
}
