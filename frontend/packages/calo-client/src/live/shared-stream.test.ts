import { beforeEach, describe, expect, test } from "vitest";
import { FakeReaders, FakeTimers, makeEvent, makeJob } from "../testing";
import { SharedStream } from "./shared-stream";
import type { TabMessage } from "./tab-channel";
import { noChannel } from "./tab-channel";
import { noLock, type TabLock } from "./tab-lock";

/** A browser with tabs. Messages and locks arrive in `settle`, as they arrive later in a browser. */
class Browser {
  readonly timers = new FakeTimers();
  readonly readers = new FakeReaders();
  readonly #deliveries: (() => void)[] = [];
  readonly #listeners = new Map<string, (message: TabMessage) => void>();
  #lockQueue: { tab: string; onAcquired: () => void }[] = [];
  #lockHolder: unknown = null;

  lockOf(tab: string, onAcquired: () => void): TabLock {
    const leave = () => {
      this.#lockQueue = this.#lockQueue.filter((entry) => entry.tab !== tab);
    };
    const queue = () => {
      const entry = { tab, onAcquired };
      this.#lockQueue = [...this.#lockQueue.filter((other) => other.tab !== tab), entry];
    };
    return { queue, leave };
  }

  channelOf(tab: string) {
    return {
      onMessage: (listener: (message: TabMessage) => void) => void this.#listeners.set(tab, listener),
      post: (message: TabMessage) => {
        for (const [other, listener] of this.#listeners) {
          if (other !== tab)
            this.#deliveries.push(() => this.#listeners.has(other) && listener(structuredClone(message)));
        }
      },
    };
  }

  /** The tab is gone without a word. The browser releases its lock and closes its connections. */
  crash(tab: Tab): void {
    this.#listeners.delete(tab.id);
    this.#lockQueue = this.#lockQueue.filter((entry) => entry.tab !== tab.id);
    for (const reader of tab.readers.all) reader.close();
  }

  /** Let time pass until all messages have arrived, the lock has a holder, and needs are gathered. */
  settle(): void {
    for (let round = 0; round < 4; round += 1) {
      const first = this.#lockQueue[0];
      if (first && this.#lockHolder !== first) {
        this.#lockHolder = first;
        first.onAcquired();
      }
      for (let next = this.#deliveries.shift(); next; next = this.#deliveries.shift()) next();
      this.timers.advance(50);
    }
  }
}

class Tab {
  readonly id: string;
  readonly readers: FakeReaders;
  readonly stream: SharedStream;
  status = "";
  resyncs = 0;
  received: string[] = [];

  constructor(browser: Browser, id: string) {
    this.id = id;
    this.readers = new FakeReaders();
    this.stream = new SharedStream({
      id,
      makeLock: (onAcquired) => browser.lockOf(id, onAcquired),
      channel: browser.channelOf(id),
      url: (scope, cursor) => (scope === "all" ? `all after ${cursor}` : scope.join()),
      open: this.readers.open,
      timers: browser.timers,
      now: () => browser.timers.now,
      random: () => 1,
      isOnline: () => true,
      onEvents: (events) => this.received.push(...events.map((event) => event.lastEventId)),
      onResync: () => {
        this.resyncs += 1;
      },
      onStatus: (status) => {
        this.status = status;
      },
    });
  }

  /** Start the tab with what it shows. */
  start(need: string | null, cursor: string | null = null): this {
    this.stream.wake();
    this.stream.show(need, cursor);
    return this;
  }

  get urls(): string[] {
    return this.readers.notClosed.map((reader) => reader.url);
  }
}

let browser: Browser;
let first: Tab;
let second: Tab;
let third: Tab;
const event = (cursor: string) => makeEvent(makeJob("a"), cursor);

/** Settle, and let the connection that a tab is opening succeed. */
function connect(tab: Tab): void {
  browser.settle();
  tab.readers.last.open();
  browser.settle();
}

beforeEach(() => {
  browser = new Browser();
  [first, second, third] = ["1", "2", "3"].map((id) => new Tab(browser, id)) as [Tab, Tab, Tab];
});

test("a single tab has the stream of its list from its cursor, and fetches nothing again", () => {
  first.start(null, "100");
  expect(first.status).toBe("connecting");
  connect(first);
  expect(first.urls).toEqual(["all after 100"]);
  expect([first.status, first.resyncs]).toEqual(["live", 0]);
  first.readers.last.send(event("200"), event("300"));
  expect(first.received).toEqual(["200", "300"]);
});

describe("tabs share one stream", () => {
  beforeEach(() => {
    first.start(null, "100");
    connect(first);
    second.start("a");
    third.start(null, "150");
    browser.settle();
  });

  test("all are live with one connection", () => {
    expect([first.urls, second.urls, third.urls]).toEqual([["all after 100"], [], []]);
    expect([first.status, second.status, third.status]).toEqual(["live", "live", "live"]);
  });

  test("a tab that joins fetches once when it is covered; the holder does not", () => {
    expect([first.resyncs, second.resyncs, third.resyncs]).toEqual([0, 1, 1]);
    browser.timers.advance(20_000);
    browser.settle();
    expect([first.resyncs, second.resyncs, third.resyncs]).toEqual([0, 1, 1]);
  });

  test("each gets every event, and each gets a resync", () => {
    first.readers.last.send(event("200"), { type: "resync", data: "{}", lastEventId: "300" });
    browser.settle();
    expect([first, second, third].map((tab) => tab.received)).toEqual([["200"], ["200"], ["200"]]);
    expect([first.resyncs, second.resyncs, third.resyncs]).toEqual([1, 2, 2]);
  });

  test("each shows that the connection is lost, and live again without another fetch", () => {
    first.readers.last.end(0);
    browser.settle();
    expect([first.status, second.status, third.status]).toEqual([
      "reconnecting",
      "reconnecting",
      "reconnecting",
    ]);
    browser.timers.advance(1_000);
    connect(first);
    expect([first.status, second.status, third.status]).toEqual(["live", "live", "live"]);
    expect([first.resyncs, second.resyncs, third.resyncs]).toEqual([0, 1, 1]);
  });

  test.each(["crash", "sleep"])("after the holder's %s the next tab resumes after the last event", (how) => {
    first.readers.last.send(event("200.r1.7"));
    browser.settle();
    if (how === "crash") browser.crash(first);
    else first.stream.sleep();
    browser.settle();
    expect([first.urls, second.urls]).toEqual([[], ["all after 200.r1.7"]]);
    connect(second);
    expect([second.status, third.status]).toEqual(["live", "live"]);
    // the new holder has missed nothing; what the others have got from the old holder is not certain
    expect([second.resyncs, third.resyncs]).toEqual([1, 2]);
    second.readers.last.send(event("300"));
    browser.settle();
    expect(third.received).toEqual(["200.r1.7", "300"]);
  });

  test("when the holder is hidden, its stream stays open until the next tab's is", () => {
    first.readers.last.send(event("200"));
    browser.settle();
    first.stream.stepBack();
    browser.settle();
    expect([first.urls, second.urls]).toEqual([["all after 100"], ["all after 200"]]);
    first.readers.last.send(event("300"));
    browser.settle();
    expect(third.received).toEqual(["200", "300"]);
    connect(second);
    expect([first.urls, second.urls]).toEqual([[], ["all after 200"]]);
    expect([first.status, second.status, third.status]).toEqual(["live", "live", "live"]);
  });

  test("a holder that hangs is noticed", () => {
    browser.crash(first);
    browser.lockOf(first.id, () => {}).queue(); // it still has the lock
    browser.lockOf(second.id, () => {}).leave();
    browser.lockOf(third.id, () => {}).leave();
    browser.settle();
    browser.timers.advance(15_000);
    expect(third.status).toBe("reconnecting");
  });

  test("when a hidden holder is the only one awake, it remains the holder", () => {
    second.stream.sleep();
    third.stream.sleep();
    browser.settle();
    first.stream.stepBack();
    browser.settle();
    expect([first.readers.all.length, first.urls, first.status]).toEqual([1, ["all after 100"], "live"]);
  });

  test("when no tab shows a list any more, the stream is that of the jobs", () => {
    first.stream.show("b", null);
    third.stream.sleep();
    connect(first);
    expect([first.urls, first.status, second.status]).toEqual([["a,b"], "live", "live"]);
  });

  test("a tab that crashed is forgotten after a while", () => {
    browser.crash(third);
    first.stream.show("c", null);
    browser.settle();
    expect(first.readers.all).toHaveLength(1);
    for (let seconds = 0; seconds < 30; seconds += 5) {
      browser.timers.advance(5_000);
      browser.settle();
    }
    expect(first.readers.last.url).toBe("a,c");
  });
});

describe("the needs change", () => {
  test("two job pages share the stream of their jobs", () => {
    first.start("b");
    connect(first);
    second.start("a");
    browser.settle();
    expect([first.urls, second.status]).toEqual([["b", "a,b"], "connecting"]);
    connect(first);
    expect([first.urls, second.status, second.resyncs]).toEqual([["a,b"], "live", 1]);
  });

  test("from a job to a list: without a cursor, everyone fetches again", () => {
    first.start("a");
    connect(first);
    second.start(null, "150");
    connect(first);
    expect(first.urls).toEqual(["all after null"]);
    expect(first.resyncs).toBe(1);
    expect(second.resyncs).toBeGreaterThanOrEqual(1);
  });

  test("going from the list to a job and back in one tab resumes from the list's cursor", () => {
    first.start(null, "100");
    connect(first);
    first.readers.last.send(event("200"));
    first.stream.showNothing();
    browser.settle();
    expect(first.urls).toEqual(["all after 100"]);
    first.stream.show("a", null);
    expect(first.status).toBe("live");
    connect(first);
    expect(first.urls).toEqual(["a"]);
    first.stream.show(null, "100");
    expect(first.status).toBe("connecting");
    connect(first);
    expect([first.urls, first.status, first.resyncs]).toEqual([["all after 100"], "live", 0]);
  });
});

describe("an expected event that does not arrive", () => {
  beforeEach(() => {
    first.start(null, "100");
    connect(first);
    second.start(null, "100");
    browser.settle();
  });

  test.each(["holder", "other tab"])("makes the holder reconnect: asked by the %s", (who) => {
    const tab = who === "holder" ? first : second;
    tab.stream.expectMoreThan(tab.stream.eventCount);
    browser.timers.advance(10_000);
    browser.settle();
    expect(first.readers.all).toHaveLength(2);
  });

  test("but arrives before the response counts", () => {
    const before = second.stream.eventCount;
    first.readers.last.send(event("200"));
    browser.settle();
    second.stream.expectMoreThan(before);
    browser.timers.advance(10_000);
    expect(first.readers.all).toHaveLength(1);
  });
});

test("a tab that is asleep has no stream and gets nothing; then it resumes", () => {
  first.start(null, "100");
  connect(first);
  first.stream.sleep();
  browser.settle();
  expect([first.urls, first.status]).toEqual([[], "paused"]);
  browser.timers.advance(600_000);
  expect(first.readers.all).toHaveLength(1);
  first.stream.wake();
  connect(first);
  expect([first.urls, first.status]).toEqual([["all after 100"], "live"]);
});

test("without locks and channels each tab has its own stream", () => {
  const readers = new FakeReaders();
  const timers = new FakeTimers();
  const statuses: string[] = [];
  const stream = new SharedStream({
    id: "1",
    makeLock: noLock,
    channel: noChannel,
    url: (_, cursor) => `${cursor}`,
    open: readers.open,
    timers,
    now: () => 0,
    random: () => 1,
    isOnline: () => true,
    onEvents: () => {},
    onResync: () => {},
    onStatus: (status) => statuses.push(status),
  });
  stream.wake();
  stream.show(null, "100");
  timers.advance(50);
  readers.last.open();
  expect([readers.last.url, statuses.at(-1)]).toEqual(["100", "live"]);
  stream.stepBack();
  timers.advance(5_000);
  expect(readers.notClosed).toHaveLength(1);
});
