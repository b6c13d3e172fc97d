import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "calo-client/api/api-error";
import type { Job, JobPage } from "calo-client/api/types";
import { JobCache } from "calo-client/live/job-cache";
import { OwnJobs } from "calo-client/live/own-jobs";
import { FakeTimers, makeJob, makePage } from "calo-client/testing";
import { beforeEach, expect, test, vi } from "vitest";
import { Kept } from "../../kept";
import type { Services } from "../../services";
import { type Draft, discardDraft, isAwaited, keepDrafts, newDraft, sendDraft, sendDrafts } from "./drafts";

const photo = (query: string) => ({ kind: "photo", input: { query } });
const FIRST_PAGE = { status: null, page: 1, cursor: null };

let queries: QueryClient;
let createJob: ReturnType<typeof vi.fn<(body: unknown, key: string) => Promise<Job>>>;
let createJobs: ReturnType<typeof vi.fn<(entries: { key: string }[]) => Promise<(Job | ApiError)[]>>>;
let services: Services;

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0);
  queries = new QueryClient();
  createJob = vi.fn();
  createJobs = vi.fn();
  const live = { expectEventFor: (request: () => unknown) => request() };
  const cache = new JobCache(queries, new FakeTimers());
  services = {
    api: { createJob, createJobs },
    queries,
    cache,
    ownJobs: new OwnJobs(),
    live,
  } as unknown as Services;
  queries.setQueryData(["jobs", FIRST_PAGE], makePage([]));
});

const drafts = () => queries.getQueryData<Draft[]>(["drafts"]) ?? [];
const jobs = () => queries.getQueryData<JobPage>(["jobs", FIRST_PAGE])?.data ?? [];

test("a draft is replaced by its job", async () => {
  createJob.mockResolvedValue(makeJob("a"));
  const sending = sendDraft(services, newDraft(photo("pasta"), 30));
  expect(drafts()).toHaveLength(1);
  await sending;
  expect([drafts(), jobs()]).toEqual([[], [makeJob("a")]]);
  expect(createJob).toHaveBeenCalledWith({ ...photo("pasta"), delay_seconds: 30 }, expect.any(String));
});

test("drafts that were kept while the page was left are sent again, in the same order", async () => {
  const kept = new Kept();
  keepDrafts({ ...services, kept });
  createJob.mockRejectedValue(new ApiError(401, "You are no longer signed in."));
  for (const topic of ["pasta", "tea"]) await sendDraft(services, newDraft(photo(topic), 0));
  const before = drafts();
  const collected = JSON.parse(JSON.stringify(kept.collect()));
  queries.clear();
  createJobs.mockImplementation(() => new Promise(() => {}));
  keepDrafts({ ...services, kept: new Kept(collected) });
  expect(drafts()).toEqual(before.map((draft) => ({ ...draft, error: null })));
  const keys = () => createJobs.mock.calls.flatMap(([entries]) => entries.map(({ key }) => key));
  await vi.waitFor(() => expect(keys()).toEqual(before.map(({ key }) => key).reverse()));
});

test("while a draft is being sent, only new jobs of its topic wait", async () => {
  createJob.mockImplementation(async () => {
    expect(isAwaited(queries, makeJob("a"))).toBe(true);
    expect(isAwaited(queries, makeJob("b", photo("tea")))).toBe(false);
    return makeJob("a");
  });
  expect(await sendDraft(services, newDraft(photo("pasta"), 0))).toBeNull();
  expect(createJob).toHaveBeenCalled();
  expect(isAwaited(queries, makeJob("c"))).toBe(false);
});

test("a job of the same kind waits if it has the draft's input, whatever else the server has filled in", async () => {
  const input = { text: "a", options: { deep: [1, 2] } };
  const filled = { ...input, size: 3 };
  createJob.mockImplementation(async () => {
    expect(isAwaited(queries, makeJob("a", { kind: "other", input: filled }))).toBe(true);
    expect(isAwaited(queries, makeJob("a", { kind: "photo", input: filled }))).toBe(false);
    expect(isAwaited(queries, makeJob("a", { kind: "other", input: { ...filled, text: "b" } }))).toBe(false);
    expect(isAwaited(queries, makeJob("a", { kind: "other", input: { text: "a" } }))).toBe(false);
    return makeJob("a", { kind: "other", input: filled });
  });
  expect(await sendDraft(services, newDraft({ kind: "other", input }, 0))).toBeNull();
  expect(createJob).toHaveBeenCalledWith({ kind: "other", input }, expect.any(String));
});

test("a request without a response is retried with the same key", async () => {
  createJob
    .mockRejectedValueOnce(new ApiError(0, "no network"))
    .mockRejectedValueOnce(new ApiError(503, "busy"));
  createJob.mockResolvedValue(makeJob("a"));
  const draft = newDraft(photo("pasta"), 0);
  await sendDraft(services, draft);
  expect(createJob.mock.calls.map((call) => call[1])).toEqual([draft.key, draft.key, draft.key]);
  expect(jobs()).toEqual([makeJob("a")]);
});

test.each([new ApiError(400, "bad"), new ApiError(429, "too many", 5_000)])(
  "a rejected draft keeps its error and can be sent again",
  async (error) => {
    createJob.mockRejectedValueOnce(error).mockResolvedValue(makeJob("a"));
    expect(await sendDraft(services, newDraft(photo("pasta"), 0))).toBe(error);
    expect(createJob).toHaveBeenCalledTimes(1);
    const [draft] = drafts();
    if (!draft) throw new Error("the draft was removed");
    expect(draft.error).toBe(error);
    expect(isAwaited(queries, makeJob("b"))).toBe(false);
    await sendDraft(services, draft);
    expect([drafts(), jobs()]).toEqual([[], [makeJob("a")]]);
  },
);

test("several drafts are sent with one call, and each has its own outcome", async () => {
  const sent = ["pasta", "", "tea"].map((topic) => newDraft(photo(topic), 30));
  const bad = new ApiError(400, "bad");
  const tea = makeJob("b", photo("tea"));
  createJobs.mockResolvedValue([makeJob("a"), bad, new ApiError(503, "not queued")]);
  createJob.mockResolvedValue(tea);
  expect(await sendDrafts(services, sent)).toEqual([null, bad, null]);
  expect(createJobs.mock.calls).toEqual([
    [sent.map(({ kind, input, key }) => ({ kind, input, delay_seconds: 30, key }))],
  ]);
  expect(createJob.mock.calls).toEqual([[{ ...photo("tea"), delay_seconds: 30 }, sent[2]?.key]]);
  expect(drafts()).toEqual([{ ...sent[1], error: bad }]);
  expect(jobs()).toEqual(expect.arrayContaining([makeJob("a"), tea]));
});

test("a call for several drafts is retried with the same keys, and its failure is that of each", async () => {
  const sent = ["pasta", "tea"].map((topic) => newDraft(photo(topic), 0));
  const throttled = new ApiError(429, "too many", 5_000);
  createJobs.mockRejectedValueOnce(new ApiError(0, "no network")).mockRejectedValueOnce(throttled);
  expect(await sendDrafts(services, sent)).toEqual([throttled, throttled]);
  expect(createJobs.mock.calls.map(([entries]) => entries.map(({ key }) => key))).toEqual(
    Array(2).fill(sent.map(({ key }) => key)),
  );
  expect(drafts().map(({ error }) => error)).toEqual([throttled, throttled]);
});

test("a rejected draft can be discarded without affecting others", async () => {
  createJob.mockRejectedValue(new ApiError(400, "bad"));
  await sendDraft(services, newDraft(photo("one"), 0));
  await sendDraft(services, newDraft(photo("two"), 0));
  const [first] = drafts();
  if (first) discardDraft(queries, first);
  expect(drafts().map((draft) => draft.input.query)).toEqual(["one"]);
});

test("jobs that are requested one after the other are created in this order", async () => {
  const started: string[] = [];
  const answers: (() => void)[] = [];
  createJob.mockImplementation((body) => {
    const { query } = (body as { input: { query: string } }).input;
    started.push(query);
    return new Promise((resolve) => answers.push(() => resolve(makeJob(query))));
  });
  const sending = ["pasta", "tea"].map((topic) => sendDraft(services, newDraft(photo(topic), 0)));
  await vi.waitFor(() => expect(started).toEqual(["pasta"]));
  answers[0]?.();
  await vi.waitFor(() => expect(started).toEqual(["pasta", "tea"]));
  answers[1]?.();
  await Promise.all(sending);
  expect(drafts()).toEqual([]);
});

test("a request without an answer does not hold up the next one for long", async () => {
  createJob.mockImplementationOnce(() => new Promise(() => {})).mockResolvedValue(makeJob("b"));
  void sendDraft(services, newDraft(photo("pasta"), 0));
  await sendDraft(services, newDraft(photo("tea"), 0));
  expect(drafts().map(({ input }) => input)).toEqual([{ query: "pasta" }]);
});
