import { useSyncExternalStore } from "react";
import type { LiveStatus } from "../live/live-stream";
import { useServices } from "../services";

const WORDS: Record<LiveStatus, string> = {
  connecting: "Connecting…",
  live: "Live",
  reconnecting: "Reconnecting…",
  offline: "Offline",
  paused: "Paused",
};

const MEANINGS: Record<LiveStatus, string> = {
  connecting: "Connecting to the live stream",
  live: "Changes show at once",
  reconnecting: "The connection is lost; what is shown may be old. Trying again.",
  offline: "This device is offline; what is shown may be old.",
  paused: "Nobody was looking; it goes on now.",
};

export function LiveIndicator() {
  const { live } = useServices();
  const status = useSyncExternalStore(live.subscribe, live.status);
  return (
    <p className="live" data-status={status} role="status" title={MEANINGS[status]}>
      <span className="dot" aria-hidden="true" />
      {WORDS[status]}
    </p>
  );
}
