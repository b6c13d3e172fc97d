import type { Job } from "calo-client/api/types";
import { makeJob } from "calo-client/testing";
import { expect, test } from "vitest";
import { holdArrivals } from "./arrivals";

const job = (id: string, createdAt: number, fields: Partial<Job> = {}) =>
  makeJob(id, { created_at: createdAt, ...fields });
const SHOWN = [job("c", 30), job("b", 20)];
const never = () => false;
const ids = (jobs: readonly Job[]) => jobs.map(({ id }) => id);

test("new jobs are counted, and the cards stay where they are", () => {
  const { jobs, arrivalCount } = holdArrivals(
    [job("e", 50), job("d", 25), ...SHOWN],
    SHOWN,
    never,
    () => null,
  );
  expect([ids(jobs), arrivalCount]).toEqual([["c", "b"], 2]);
});

test("cards get new versions", () => {
  const newer = job("c", 30, { version: 2, status: "resolved" });
  const { jobs } = holdArrivals([job("d", 40), newer, job("b", 20)], SHOWN, never, () => null);
  expect(jobs[0]).toBe(newer);
});

test("jobs that were requested here are shown", () => {
  const current = [job("own", 50), job("d", 40), ...SHOWN];
  const { jobs, arrivalCount } = holdArrivals(
    current,
    SHOWN,
    ({ id }) => id === "own",
    () => null,
  );
  expect([ids(jobs), arrivalCount]).toEqual([["own", "c", "b"], 1]);
});

test("a card that the arrivals push to the next page stays, in its newest version", () => {
  const newer = job("b", 20, { version: 2 });
  const { jobs } = holdArrivals([job("d", 40), job("c", 30)], SHOWN, never, () => newer);
  expect(jobs).toEqual([SHOWN[0], newer]);
});

test("a card that leaves the list for another reason is removed", () => {
  expect(ids(holdArrivals([job("c", 30)], SHOWN, never, () => null).jobs)).toEqual(["c"]);
});

test("jobs after the last card are shown, and an empty list holds nothing", () => {
  const { jobs, arrivalCount } = holdArrivals([...SHOWN, job("a", 10)], SHOWN, never, () => null);
  expect([ids(jobs), arrivalCount]).toEqual([["c", "b", "a"], 0]);
  expect(holdArrivals(SHOWN, [], never, () => null)).toEqual({ jobs: SHOWN, arrivalCount: 0 });
});
