/** The state of the live connection as text. */

import type { LiveStatus } from "calo-client/live/live-stream";

export const LIVE_LABELS: Record<LiveStatus, string> = {
  connecting: "Connecting…",
  live: "Live",
  reconnecting: "Reconnecting…",
  offline: "Offline",
  paused: "Paused",
};

export const LIVE_DESCRIPTIONS: Record<LiveStatus, string> = {
  connecting: "Connecting to the live stream",
  live: "Changes appear immediately",
  reconnecting: "Connection lost. This may be out of date; reconnecting…",
  offline: "This device is offline. This may be out of date.",
  paused: "Paused while this tab was hidden.",
};
