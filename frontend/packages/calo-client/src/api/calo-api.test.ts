import { afterEach, expect, test, vi } from "vitest";
import { ApiError } from "./api-error";
import { CaloApi } from "./calo-api";

const fetched = vi.fn<typeof fetch>();
const api = new CaloApi("https://calo.example/api", fetched);
const signal = new AbortController().signal;

afterEach(() => {
  fetched.mockReset();
});

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });

test("a list is requested by page and status, or by cursor", async () => {
  fetched.mockImplementation(async () => json({ data: [] }));
  await api.listJobs({ status: "error", page: 2, cursor: null }, signal);
  await api.listJobs({ status: null, page: 1, cursor: "a b&c" }, signal);
  expect(fetched.mock.calls.map(([url]) => url)).toEqual([
    "https://calo.example/api/jobs?pageSize=24&page=2&status=error",
    "https://calo.example/api/jobs?pageSize=24&cursor=a+b%26c",
  ]);
});

test("a list has the whole filter, and what does not matter is left out", async () => {
  fetched.mockImplementation(async () => json({ data: [] }));
  const filter = {
    status: "error",
    kind: "photo",
    code: "lost",
    since: 0,
    until: 9,
    text: "a b",
    owner: "*",
  } as const;
  await api.listJobs({ ...filter, page: 1, cursor: "x" }, signal);
  await api.listJobs({ status: null, code: undefined, page: 1, cursor: null }, signal);
  await api.getStats(signal);
  await api.getStats(signal, "*");
  expect(fetched.mock.calls.map(([url]) => String(url).split("/api/")[1])).toEqual([
    "jobs?pageSize=24&cursor=x&status=error&kind=photo&code=lost&since=0&until=9&text=a+b&owner=*",
    "jobs?pageSize=24&page=1",
    "stats",
    "stats?owner=*",
  ]);
});

test("the owner of a selection is in the address, the rest in the body", async () => {
  fetched.mockImplementation(async () => json({ changed: 1, more: false }));
  await api.changeJobs("retry", { status: "error", code: "lost", owner: "public" });
  await api.changeJobs("cancel", { kind: "photo" });
  expect(fetched.mock.calls.map(([url, options]) => [String(url), options?.body])).toEqual([
    ["https://calo.example/api/jobs/retry?owner=public", '{"status":"error","code":"lost"}'],
    ["https://calo.example/api/jobs/cancel", '{"kind":"photo"}'],
  ]);
});

test("a job is created with its kind, its input and its key", async () => {
  fetched.mockResolvedValue(json({ id: "a" }, 201));
  const body = { kind: "countdown", input: { seconds: 5 }, delay_seconds: 10 };
  expect(await api.createJob(body, "key")).toEqual({ id: "a" });
  const [url, options] = fetched.mock.calls[0] ?? [];
  expect([url, options?.method]).toEqual(["https://calo.example/api/jobs", "POST"]);
  expect(options?.headers).toEqual({ "Content-Type": "application/json", "Idempotency-Key": "key" });
  expect(JSON.parse(String(options?.body))).toEqual(body);
});

test("the id in a path is encoded", async () => {
  fetched.mockImplementation(async () => json({}));
  await api.getJob("../stats?x", signal);
  await api.retryJob("a");
  await api.cancelJob("a");
  expect(fetched.mock.calls.map(([url, options]) => [options?.method, url])).toEqual([
    ["GET", "https://calo.example/api/jobs/..%2Fstats%3Fx"],
    ["POST", "https://calo.example/api/jobs/a/retry"],
    ["DELETE", "https://calo.example/api/jobs/a"],
  ]);
});

test("photo is the first kind, and the others keep their order", async () => {
  fetched.mockResolvedValue(json({ data: ["countdown", "other", "photo"].map((name) => ({ name })) }));
  const kinds = await api.listKinds(signal);
  expect(kinds.map((kind) => kind.name)).toEqual(["photo", "countdown", "other"]);
});

test("an error has the reason and the fields of the problem", async () => {
  const errors = [{ field: "input.seconds", message: "must be a whole number" }];
  fetched.mockResolvedValue(json({ detail: "input.seconds: must be a whole number", errors }, 400));
  const error = await api.getStats(signal).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({
    status: 400,
    message: "input.seconds: must be a whole number",
    fields: errors,
  });
});

test.each([
  ["an error that is not JSON", async () => new Response("<html>", { status: 503 }), 503],
  ["a problem with other errors", async () => json({ detail: "x", errors: "none" }, 422), 422],
  ["a body that is cut off", async () => new Response('{"id": '), 502],
  ["no network", async () => Promise.reject(new TypeError("failed")), 0],
  ["a timeout", async () => Promise.reject(new DOMException("", "TimeoutError")), 0],
])("%s is an ApiError", async (_, respond, status) => {
  fetched.mockImplementation(respond);
  await expect(api.getStats(signal)).rejects.toMatchObject({ name: "ApiError", status, fields: [] });
});

test("an aborted request rejects with the reason", async () => {
  fetched.mockRejectedValue(new DOMException("", "AbortError"));
  await expect(api.getStats(signal)).rejects.toMatchObject({ name: "AbortError" });
});
