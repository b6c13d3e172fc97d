/** Detects when a page is visible again or restored, when the network changes, and when the machine slept. */

const TICK_MS = 5_000;
/** A longer time between two ticks means that the machine slept. */
const SLEPT_MS = 20_000;
/** A page that is hidden for longer than this keeps no connection open. */
const HIDDEN_MS = 30_000;

export interface WakeListener {
  /** Connect again, because an open connection may be broken. */
  onWake(): void;
  /** The page has been hidden for a while. */
  onSleep(): void;
}

/** Start watching. Return a function that stops. */
export function watchWake({ onWake, onSleep }: WakeListener): () => void {
  const controller = new AbortController();
  const options = { signal: controller.signal };
  let sleepTimer: number | undefined;
  let isAsleep = false;
  let lastTick = Date.now();

  function wake(): void {
    isAsleep = false;
    onWake();
  }
  function sleep(): void {
    isAsleep = true;
    onSleep();
  }
  const ticker = setInterval(() => {
    const machineSlept = Date.now() - lastTick > SLEPT_MS;
    lastTick = Date.now();
    if (machineSlept) document.hidden ? sleep() : wake();
  }, TICK_MS);
  document.addEventListener(
    "visibilitychange",
    () => {
      window.clearTimeout(sleepTimer);
      if (document.hidden) {
        sleepTimer = window.setTimeout(sleep, HIDDEN_MS);
      } else if (isAsleep) {
        wake();
      }
    },
    options,
  );
  window.addEventListener("pageshow", (event) => event.persisted && wake(), options);
  for (const type of ["online", "offline"]) window.addEventListener(type, wake, options);
  return () => {
    controller.abort();
    clearInterval(ticker);
    window.clearTimeout(sleepTimer);
  };
}
