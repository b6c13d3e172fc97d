import type { JobContent } from "calo-client/api/types";
import { makeJob } from "calo-client/testing";
import { expect, test } from "vitest";
import { announcement } from "./announcement";

const subject = ({ input }: JobContent, count: number) => `${count} of ${input.query}`;
const job = (id: string, query: string, status: "resolved" | "error" | "cancelled" | "pending") =>
  makeJob(id, { input: { query }, status });

test("jobs with the same subject and outcome are announced together", () => {
  const jobs = [
    job("a", "sea", "resolved"),
    job("b", "void", "error"),
    job("c", "sea", "resolved"),
    job("d", "sea", "error"),
    job("e", "sea", "cancelled"),
    job("f", "void", "pending"),
  ];
  expect(announcement(jobs, subject)).toBe(
    "2 of sea are ready, 1 of void failed, 1 of sea failed, 1 of sea was cancelled, Trying again: 1 of void",
  );
});

test("nothing is said about no jobs", () => {
  expect(announcement([], subject)).toBe("");
});
