/** Detects when a page is hidden or visible again, when the network changes, and when the machine slept. */

const TICK_MS = 5_000;
/** A longer time between two ticks means that the machine slept. */
const SLEPT_MS = 20_000;
/** A page that is hidden for longer than this keeps no connection open. */
const HIDDEN_MS = 30_000;

export interface WakeListener {
  /** The page is used, or an open connection may be broken. */
  onWake(): void;
  /** The page has just been hidden. */
  onHide(): void;
  /** The page has been hidden for a while, or is closed. */
  onSleep(): void;
}

/** Start watching: the page is awake if it is visible. Return a function that stops. */
export function watchWake({ onWake, onHide, onSleep }: WakeListener): () => void {
  const controller = new AbortController();
  const options = { signal: controller.signal };
  let sleepTimer: number | undefined;
  let isAsleep = document.hidden;
  let lastTick = Date.now();

  function wake(): void {
    isAsleep = false;
    onWake();
  }
  function sleep(): void {
    isAsleep = true;
    onSleep();
  }
  function handleVisibility(): void {
    window.clearTimeout(sleepTimer);
    if (!document.hidden) {
      if (isAsleep) wake();
    } else if (!isAsleep) {
      onHide();
      sleepTimer = window.setTimeout(sleep, HIDDEN_MS);
    }
  }
  const ticker = setInterval(() => {
    const machineSlept = Date.now() - lastTick > SLEPT_MS;
    lastTick = Date.now();
    if (machineSlept) document.hidden ? sleep() : wake();
  }, TICK_MS);
  document.addEventListener("visibilitychange", handleVisibility, options);
  window.addEventListener("pagehide", sleep, options);
  window.addEventListener("pageshow", (event) => event.persisted && wake(), options);
  for (const type of ["online", "offline"]) {
    window.addEventListener(type, () => !isAsleep && wake(), options);
  }
  if (!isAsleep) wake();
  return () => {
    controller.abort();
    clearInterval(ticker);
    window.clearTimeout(sleepTimer);
  };
}
