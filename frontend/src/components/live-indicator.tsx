import { useSyncExternalStore } from "react";
import { useServices } from "../services";
import { LIVE_DESCRIPTIONS, LIVE_LABELS } from "../text/live-status";

export function LiveIndicator() {
  const { live } = useServices();
  const status = useSyncExternalStore(live.subscribe, live.status);
  return (
    <p className="live" data-status={status} role="status" title={LIVE_DESCRIPTIONS[status]}>
      <span className="dot" aria-hidden="true" />
      {LIVE_LABELS[status]}
    </p>
  );
}
