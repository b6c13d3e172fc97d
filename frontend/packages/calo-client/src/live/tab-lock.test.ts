import { expect, test, vi } from "vitest";
import { webLock } from "./tab-lock";

/** Locks of one name, as the browser grants them: in the order of the requests, and asynchronously. */
class FakeLocks {
  readonly #queue: { callback: () => Promise<void>; signal: AbortSignal }[] = [];
  #isHeld = false;

  request(_: string, { signal }: { signal: AbortSignal }, callback: () => Promise<void>): Promise<void> {
    this.#queue.push({ callback, signal });
    void this.#grant();
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
    });
  }

  async #grant(): Promise<void> {
    await Promise.resolve();
    if (this.#isHeld) return;
    const next = this.#queue.shift();
    if (!next) return;
    if (next.signal.aborted) return this.#grant();
    this.#isHeld = true;
    await next.callback();
    this.#isHeld = false;
    await this.#grant();
  }
}

function makeTabs() {
  const locks = new FakeLocks() as unknown as LockManager;
  const acquired: string[] = [];
  const [a, b] = ["a", "b"].map((tab) => webLock(locks, "calo")(() => acquired.push(tab)));
  if (!a || !b) throw new Error("there are two tabs");
  return { a, b, acquired };
}

test("the lock passes to the next tab when it is left, or queued for again", async () => {
  const { a, b, acquired } = makeTabs();
  a.queue();
  await vi.waitFor(() => expect(acquired).toEqual(["a"]));
  b.queue();
  a.queue();
  await vi.waitFor(() => expect(acquired).toEqual(["a", "b"]));
  b.leave();
  await vi.waitFor(() => expect(acquired).toEqual(["a", "b", "a"]));
});

test("a tab that queues again gets the lock back if no other waits", async () => {
  const { a, acquired } = makeTabs();
  a.queue();
  await vi.waitFor(() => expect(acquired).toEqual(["a"]));
  a.queue();
  await vi.waitFor(() => expect(acquired).toEqual(["a", "a"]));
});

test("a tab that has left the queue does not get the lock", async () => {
  const { a, b, acquired } = makeTabs();
  a.queue();
  b.queue();
  b.leave();
  await vi.waitFor(() => expect(acquired).toEqual(["a"]));
  a.leave();
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(acquired).toEqual(["a"]);
});
