import { useEffect, useState, useSyncExternalStore } from "react";
import { useServices } from "../../services";
import { LIVE_DESCRIPTIONS } from "../../text/live-status";

/** A stream that ends after its usual time is live again sooner. */
const SHORT_MS = 3_000;

/** Says that what is shown may be out of date, once the connection has been lost for a moment. */
export function StaleNotice() {
  const { live } = useServices();
  const status = useSyncExternalStore(live.subscribe, live.status);
  const isLost = status === "reconnecting" || status === "offline";
  const [isLong, setIsLong] = useState(false);
  useEffect(() => {
    if (!isLost) return;
    const timer = setTimeout(() => setIsLong(true), SHORT_MS);
    return () => {
      clearTimeout(timer);
      setIsLong(false);
    };
  }, [isLost]);
  return (
    <div className="stale-notice" role="status">
      {isLost && isLong && <p>{LIVE_DESCRIPTIONS[status]}</p>}
    </div>
  );
}
