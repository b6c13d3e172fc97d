/** Notices when the page comes back: shown again, restored, on another network, after the machine slept. */

const TICK_MS = 5_000;
const SLEPT_MS = 20_000;
/** A page that is hidden for longer holds no connection. */
const HIDDEN_MS = 30_000;

export interface Wakening {
  /** What was open may be dead: connect anew. */
  onWake(): void;
  /** Nobody has been looking for a while. */
  onSleep(): void;
}

/** Watch until the returned function is called. */
export function watchWakening({ onWake, onSleep }: Wakening): () => void {
  const controller = new AbortController();
  const listening = { signal: controller.signal };
  let sleep: number | undefined;
  let isAsleep = false;
  let ticked = Date.now();

  function wake(): void {
    isAsleep = false;
    onWake();
  }
  function fallAsleep(): void {
    isAsleep = true;
    onSleep();
  }
  const tick = setInterval(() => {
    const slept = Date.now() - ticked > SLEPT_MS;
    ticked = Date.now();
    if (slept) document.hidden ? fallAsleep() : wake();
  }, TICK_MS);
  document.addEventListener(
    "visibilitychange",
    () => {
      window.clearTimeout(sleep);
      if (document.hidden) {
        sleep = window.setTimeout(fallAsleep, HIDDEN_MS);
      } else if (isAsleep) {
        wake();
      }
    },
    listening,
  );
  window.addEventListener("pageshow", (event) => event.persisted && wake(), listening);
  for (const type of ["online", "offline"]) window.addEventListener(type, wake, listening);
  return () => {
    controller.abort();
    clearInterval(tick);
    window.clearTimeout(sleep);
  };
}
