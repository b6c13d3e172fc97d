import type { DeliveryList } from "calo-client/api/types";
import { describe, expect, it } from "vitest";
import { askAgainAfter } from "./delivery-times";

const NOW = 1_800_000_000_000;

function list(values: Partial<DeliveryList>): DeliveryList {
  return { data: [], host: "receiver.test", next_at: null, ...values };
}

describe("askAgainAfter", () => {
  it.each([
    ["nothing is known", undefined, NOW, false],
    ["the job has no webhook", list({ host: null }), NOW, false],
    ["the first delivery is expected", list({}), NOW - 1_000, 2_000],
    ["the first delivery does not come", list({}), NOW - 30_000, false],
    ["it is delivered", list({ data: [{ at: NOW, status: "delivered", answer: "204" }] }), NOW - 1, false],
    ["it was sent again", list({ data: [{ at: NOW - 9, status: "delivered", answer: "204" }] }), NOW, 2_000],
    ["the next attempt is due", list({ next_at: NOW - 5_000 }), NOW, 2_000],
    ["the next attempt is in 5 s", list({ next_at: NOW + 5_000 }), NOW, 7_000],
    ["the next attempt is in an hour", list({ next_at: NOW + 3_600_000 }), NOW, 60_000],
  ])("when %s", (_, deliveries, requestedAt, expected) => {
    expect(askAgainAfter(deliveries, requestedAt, NOW)).toBe(expected);
  });
});
