/** The messages between the tabs of one browser. */

import type { ServerEvent } from "./event-parser";
import type { LiveStatus } from "./live-stream";
import type { Need, Scope } from "./scope";

/** The stream that the tabs share, as its holder reports it. `scope` is null while it is not open. */
export interface StreamState {
  status: LiveStatus;
  scope: Scope | null;
}

/** `from` is the id of the tab that sends it. */
export type TabMessage = { from: string } & TabMessageBody;

export type TabMessageBody =
  /** What the tab shows; undefined if it shows nothing live. */
  | { type: "need"; need: Need | undefined }
  /** The tab is closed or asleep. */
  | { type: "leave" }
  /** From the holder: every tab answers with its need. */
  | { type: "ask" }
  | { type: "state"; state: StreamState }
  | { type: "events"; events: ServerEvent[]; scope: Scope }
  /** From the holder: its stream began without a cursor, so each tab fetches its data again. */
  | { type: "resync" }
  /** To the holder: an expected event has not arrived. */
  | { type: "reconnect" };

export interface TabChannel {
  /** Send a message to all other tabs. */
  post(message: TabMessage): void;
  onMessage(listener: (message: TabMessage) => void): void;
}

/**
 * Only tabs with the same name share messages. The name contains the version of the app, so that tabs of
 * different versions do not understand each other wrongly.
 */
export function broadcastChannel(name: string): TabChannel {
  const channel = new BroadcastChannel(name);
  return {
    post: (message) => channel.postMessage(message),
    onMessage: (listener) => channel.addEventListener("message", ({ data }) => listener(data)),
  };
}

/** For browsers without BroadcastChannel: there are no other tabs. */
export const noChannel: TabChannel = { post: () => {}, onMessage: () => {} };
