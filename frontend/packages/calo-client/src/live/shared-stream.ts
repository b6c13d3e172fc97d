/**
 * This tab's share of the live stream. A browser opens at most six connections to a host over HTTP/1.1, so its
 * tabs share one stream: the tab that holds a lock reads it for all, and passes its events on.
 *
 * A tab that joins fetches its data again once the stream covers it. So it misses nothing, although events may
 * have passed between its first fetch and its joining.
 */

import type { ServerEvent } from "./event-parser";
import type { OpenReader } from "./event-reader";
import { type LiveStatus, LiveStream } from "./live-stream";
import { combineNeeds, covers, type Need, type Scope } from "./scope";
import type { StreamState, TabChannel, TabMessage, TabMessageBody } from "./tab-channel";
import type { MakeLock, TabLock } from "./tab-lock";
import { Tabs } from "./tabs";
import { TimerSet, type Timers } from "./timers";

/** Changes of needs within this time change the stream once. */
const GATHER_MS = 50;
/** How often the holder asks the tabs what they need. */
const ASK_MS = 5_000;
/** A holder that has been silent for this time hangs. */
const SILENT_MS = 15_000;
/** The event for a change that was requested here usually arrives within a second. */
const EVENT_TIMEOUT_MS = 10_000;
const NOT_CONNECTED: StreamState = { status: "connecting", scope: null };

export interface SharedStreamOptions {
  /** This tab's id, unique among the tabs. */
  id: string;
  makeLock: MakeLock;
  channel: TabChannel;
  /** Return the URL of a stream that starts at a cursor. */
  url(scope: Scope, cursor: string | null): string;
  open: OpenReader;
  timers: Timers;
  now(): number;
  random(): number;
  isOnline(): boolean;
  onEvents(events: ServerEvent[]): void;
  /** Changes may have been missed: fetch what this tab shows again. */
  onResync(): void;
  onStatus(status: LiveStatus): void;
}

export class SharedStream {
  readonly #options: SharedStreamOptions;
  readonly #lock: TabLock;
  readonly #stream: LiveStream;
  readonly #timers: TimerSet<"update" | "ask" | "silence" | "event">;
  readonly #tabs = new Tabs();
  #isAwake = false;
  #holdsLock = false;
  #need: Need | undefined;
  /** This tab has seen the changes of all jobs up to this cursor. */
  #cursor: string | null = null;
  /** The state of the stream that this tab follows, its own or another tab's. */
  #state: StreamState = NOT_CONNECTED;
  /** The state of this tab's own stream. It stays open until the stream of the next holder is. */
  #ownState: StreamState = NOT_CONNECTED;
  /** The holder whose stream has covered what this tab shows. */
  #coveredBy: string | null = null;
  #eventCount = 0;

  constructor(options: SharedStreamOptions) {
    this.#options = options;
    this.#timers = new TimerSet(options.timers);
    this.#lock = options.makeLock(() => this.#becomeHolder());
    options.channel.onMessage((message) => this.#isAwake && this.#receive(message));
    this.#stream = new LiveStream({
      ...options,
      url: (scope) => options.url(scope, scope === "all" ? this.#cursor : null),
      onEvents: (events, scope) => this.#passOn(events, scope),
      onOpen: (scope) => this.#handleOpen(scope),
      onDown: (status) => this.#report({ status, scope: null }),
    });
  }

  /** Show jobs, or the list (null) that was fetched with this cursor. */
  show(need: Need, cursor: string | null): void {
    const seesAllJobs = this.#coveredBy !== null && this.#state.scope === "all";
    if (need === null && !seesAllJobs) this.#cursor = cursor;
    this.#setNeed(need);
  }

  /** Show nothing live. An open stream stays open, because usually another page is about to need it. */
  showNothing(): void {
    this.#setNeed(undefined);
  }

  /** Take part, or connect again because an open connection may be broken. */
  wake(): void {
    if (!this.#isAwake) {
      this.#isAwake = true;
      this.#state = NOT_CONNECTED;
      this.#expectHolder();
      this.#lock.queue();
    } else if (this.#holdsLock) {
      this.#stream.reconnect();
    }
    this.#post({ type: "need", need: this.#need });
    this.#reportStatus();
  }

  /** The page is hidden: let a tab that waits become the holder. */
  stepBack(): void {
    if (!this.#holdsLock) return;
    this.#holdsLock = false;
    this.#timers.clear("ask");
    this.#lock.queue();
  }

  /** Leave the other tabs until `wake`. */
  sleep(): void {
    if (!this.#isAwake) return;
    this.#post({ type: "leave" });
    this.#isAwake = this.#holdsLock = false;
    this.#coveredBy = null;
    this.#ownState = NOT_CONNECTED;
    this.#timers.clearAll();
    this.#stream.close();
    this.#lock.leave();
    this.#reportStatus();
  }

  /** The number of events received. */
  get eventCount(): number {
    return this.#eventCount;
  }

  /**
   * Reconnect unless there are soon more events than `count`, the number before a change. A connection that
   * was lost without an error (for example, a router dropped it) looks open; this detects it early.
   */
  expectMoreThan(count: number): void {
    if (!this.#isAwake || this.#timers.isSet("event") || this.#eventCount > count) return;
    this.#timers.set("event", EVENT_TIMEOUT_MS, () => {
      if (this.#holdsLock) this.#stream.reconnect();
      else this.#post({ type: "reconnect" });
    });
  }

  // as the holder

  #becomeHolder(): void {
    if (!this.#isAwake) return;
    this.#holdsLock = true;
    this.#timers.clear("silence");
    this.#ask();
  }

  /** Ask the tabs what they need, now and every few seconds. */
  #ask(): void {
    this.#post({ type: "ask" });
    this.#scheduleUpdate();
    this.#timers.set("ask", ASK_MS, () => this.#ask());
  }

  #scheduleUpdate(): void {
    if (this.#holdsLock && !this.#timers.isSet("update")) {
      this.#timers.set("update", GATHER_MS, () => this.#update());
    }
  }

  #update(): void {
    this.#tabs.removeLost(this.#options.now());
    const needs = this.#need === undefined ? [] : [this.#need];
    const scope = combineNeeds([...needs, ...this.#tabs.needs()]);
    if (scope !== null) this.#stream.cover(scope);
    this.#postState();
  }

  #handleOpen(scope: Scope): void {
    this.#report({ status: "live", scope });
    if (scope !== "all" || this.#cursor !== null) return;
    this.#post({ type: "resync" });
    this.#options.onResync();
  }

  #passOn(events: ServerEvent[], scope: Scope): void {
    if (!this.#tabs.isEmpty) this.#post({ type: "events", events, scope });
    this.#deliver(events, scope, this.#options.id);
  }

  #report(state: StreamState): void {
    this.#ownState = state;
    // while this tab's first connection is being opened, the one of the previous holder may still be open
    if (state.status === "connecting" && this.#state.status === "live") return;
    this.#follow(state, this.#options.id);
    this.#postState();
  }

  #postState(): void {
    const isConnecting = this.#ownState.status === "connecting";
    if (this.#holdsLock && !isConnecting) this.#post({ type: "state", state: this.#ownState });
  }

  // as any tab

  #receive(message: TabMessage): void {
    switch (message.type) {
      case "need":
        if (this.#tabs.add(message.from, message.need, this.#options.now())) this.#scheduleUpdate();
        break;
      case "leave":
        this.#tabs.remove(message.from);
        this.#scheduleUpdate();
        break;
      case "ask":
        this.#post({ type: "need", need: this.#need });
        this.#expectHolder();
        break;
      case "state":
        this.#handleHolder(message.from, message.state);
        break;
      case "events":
        this.#deliver(message.events, message.scope, message.from);
        break;
      case "resync":
        this.#options.onResync();
        break;
      case "reconnect":
        if (this.#holdsLock) this.#stream.reconnect();
    }
  }

  #handleHolder(holder: string, state: StreamState): void {
    if (this.#holdsLock) return; // it was sent before this tab became the holder
    if (this.#ownState.status === "live") {
      if (state.status !== "live") return;
      this.#stream.close();
      this.#ownState = NOT_CONNECTED;
    }
    this.#expectHolder();
    this.#follow(state, holder);
  }

  #follow(state: StreamState, holder: string): void {
    this.#state = state;
    if (this.#isCovered() && this.#coveredBy !== holder) {
      this.#coveredBy = holder;
      if (holder !== this.#options.id) this.#options.onResync();
    }
    this.#reportStatus();
  }

  #deliver(events: ServerEvent[], scope: Scope, holder: string): void {
    this.#timers.clear("event");
    this.#eventCount += events.length;
    const cursor = events.at(-1)?.lastEventId;
    if (cursor && scope === "all" && holder === this.#coveredBy) this.#cursor = cursor;
    if (events.some((event) => event.type === "resync")) this.#options.onResync();
    this.#options.onEvents(events.filter((event) => event.type === "message"));
  }

  #setNeed(need: Need | undefined): void {
    this.#need = need;
    if (!this.#isCovered()) this.#coveredBy = null;
    if (this.#isAwake) this.#post({ type: "need", need });
    this.#scheduleUpdate();
    this.#reportStatus();
  }

  #isCovered(): boolean {
    const { status, scope } = this.#state;
    return status === "live" && scope !== null && (this.#need === undefined || covers(scope, this.#need));
  }

  #reportStatus(): void {
    const { status } = this.#state;
    const statusOfTab = status === "live" && !this.#isCovered() ? "connecting" : status;
    this.#options.onStatus(this.#isAwake ? statusOfTab : "paused");
  }

  /** Expect to hear from the holder. A tab that hangs keeps the lock, but does not answer. */
  #expectHolder(): void {
    if (this.#holdsLock) return;
    this.#timers.set("silence", SILENT_MS, () => this.#follow({ status: "reconnecting", scope: null }, ""));
  }

  #post(message: TabMessageBody): void {
    this.#options.channel.post({ from: this.#options.id, ...message });
  }
}
