import { useSyncExternalStore } from "react";
import type { LiveStatus } from "../live/live-stream";
import { useServices } from "../services";

const LABELS: Record<LiveStatus, string> = {
  connecting: "Connecting…",
  live: "Live",
  reconnecting: "Reconnecting…",
  offline: "Offline",
  paused: "Paused",
};

const DESCRIPTIONS: Record<LiveStatus, string> = {
  connecting: "Connecting to the live stream",
  live: "Changes appear immediately",
  reconnecting: "Connection lost. This may be out of date; reconnecting…",
  offline: "This device is offline. This may be out of date.",
  paused: "Paused while this tab was hidden.",
};

export function LiveIndicator() {
  const { live } = useServices();
  const status = useSyncExternalStore(live.subscribe, live.status);
  return (
    <p className="live" data-status={status} role="status" title={DESCRIPTIONS[status]}>
      <span className="dot" aria-hidden="true" />
      {LABELS[status]}
    </p>
  );
}
