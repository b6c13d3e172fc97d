import { QueryClient } from "@tanstack/react-query";
import { beforeEach, expect, test, vi } from "vitest";
import { ApiError } from "../../api/api-error";
import type { Job, JobPage } from "../../api/types";
import { JobCache } from "../../live/job-cache";
import { OwnJobs } from "../../live/own-jobs";
import type { Services } from "../../services";
import { aJob, aPage, FakeTimers } from "../../testing";
import { type Draft, discard, isAwaited, newDraft, send } from "./drafts";

const PLACE = { status: null, page: 1, cursor: null };

let queries: QueryClient;
let create: ReturnType<typeof vi.fn<(body: unknown, key: string) => Promise<Job>>>;
let services: Services;

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0);
  queries = new QueryClient();
  create = vi.fn();
  const live = { changing: (change: () => unknown) => change() };
  const cache = new JobCache(queries, new FakeTimers());
  services = { api: { create }, queries, cache, ownJobs: new OwnJobs(), live } as unknown as Services;
  queries.setQueryData(["jobs", PLACE], aPage([]));
});

const drafts = () => queries.getQueryData<Draft[]>(["drafts"]) ?? [];
const jobs = () => queries.getQueryData<JobPage>(["jobs", PLACE])?.data ?? [];

test("a draft is shown until its job is, and then no more", async () => {
  create.mockResolvedValue(aJob("a"));
  const sent = send(services, newDraft("pasta", 30));
  expect(drafts()).toHaveLength(1);
  await sent;
  expect([drafts(), jobs()]).toEqual([[], [aJob("a")]]);
  expect(create).toHaveBeenCalledWith({ query: "pasta", delay_seconds: 30 }, expect.any(String));
});

test("while a draft is on its way, new jobs of its topic wait, and others do not", async () => {
  create.mockImplementation(async () => {
    expect(isAwaited(queries, aJob("a"))).toBe(true);
    expect(isAwaited(queries, aJob("b", { query: "tea" }))).toBe(false);
    return aJob("a");
  });
  await send(services, newDraft("pasta", 0));
  expect(create).toHaveBeenCalled();
  expect(isAwaited(queries, aJob("c"))).toBe(false);
});

test("a lost answer is asked for again under the same key", async () => {
  create
    .mockRejectedValueOnce(new ApiError(0, "no network"))
    .mockRejectedValueOnce(new ApiError(503, "busy"));
  create.mockResolvedValue(aJob("a"));
  const draft = newDraft("pasta", 0);
  await send(services, draft);
  expect(create.mock.calls.map((call) => call[1])).toEqual([draft.key, draft.key, draft.key]);
  expect(jobs()).toEqual([aJob("a")]);
});

test.each([new ApiError(400, "bad"), new ApiError(429, "too many", 5_000)])(
  "a refusal is told, nothing is lost, and it can be sent again",
  async (error) => {
    create.mockRejectedValueOnce(error).mockResolvedValue(aJob("a"));
    await send(services, newDraft("pasta", 0));
    expect(create).toHaveBeenCalledTimes(1);
    const [draft] = drafts();
    if (!draft) throw new Error("the draft is lost");
    expect(draft.error).toBe(error);
    expect(isAwaited(queries, aJob("b"))).toBe(false);
    await send(services, draft);
    expect([drafts(), jobs()]).toEqual([[], [aJob("a")]]);
  },
);

test("a refused draft can be discarded, and the others stay", async () => {
  create.mockRejectedValue(new ApiError(400, "bad"));
  await send(services, newDraft("one", 0));
  await send(services, newDraft("two", 0));
  const [first] = drafts();
  if (first) discard(queries, first);
  expect(drafts().map((draft) => draft.query)).toEqual(["one"]);
});
