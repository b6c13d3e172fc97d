import { QueryClient } from "@tanstack/react-query";
import { makeJob, makePage } from "calo-client/testing";
import { expect, test } from "vitest";
import { adjacentJobs } from "./adjacent-jobs";

const page = (...ids: string[]) => makePage(ids.map((id) => makeJob(id)));

test("the jobs before and after a job are those in the list that was loaded last", () => {
  const queries = new QueryClient();
  queries.setQueryData(["jobs", 1], page("d", "c", "b"), { updatedAt: 1 });
  queries.setQueryData(["jobs", 2], page("d", "b"), { updatedAt: 2 });
  expect(adjacentJobs(queries, "b")).toEqual({ newer: "d", older: null });
  expect(adjacentJobs(queries, "c")).toEqual({ newer: "d", older: "b" });
  expect(adjacentJobs(queries, "x")).toEqual({ newer: null, older: null });
});
