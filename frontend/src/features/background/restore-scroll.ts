/** Keeps the scroll position of a page that is reloaded. Browsers restore it too early, before the list is loaded. */

const KEY = "calo-scroll";
/** A list that takes longer to load does not move any more. */
const PATIENCE_MS = 5_000;

interface Position {
  url: string;
  y: number;
}

/** Restore the position after a reload, as soon as the page is long enough. Return a function that ends this. */
export function restoreScroll(): () => void {
  const controller = new AbortController();
  const save = () => {
    if (window.scrollY > 0) write({ url: location.href, y: window.scrollY });
  };
  window.addEventListener("pagehide", save, { signal: controller.signal });
  const saved = take();
  const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  if (navigation?.type === "reload" && saved?.url === location.href) scrollWhenPossible(saved.y, controller);
  return () => controller.abort();
}

function scrollWhenPossible(y: number, controller: AbortController): void {
  const scroll = () => {
    if (document.documentElement.scrollHeight - window.innerHeight < y) return;
    observer.disconnect();
    if (window.scrollY === 0) window.scrollTo(0, y);
  };
  const observer = new ResizeObserver(scroll);
  observer.observe(document.body);
  const end = () => observer.disconnect();
  setTimeout(end, PATIENCE_MS);
  // the user has begun to scroll
  for (const type of ["wheel", "touchmove", "keydown"]) {
    window.addEventListener(type, end, { once: true, passive: true, signal: controller.signal });
  }
}

function take(): Position | null {
  try {
    const text = sessionStorage.getItem(KEY);
    sessionStorage.removeItem(KEY);
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

function write(position: Position): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(position));
  } catch {
    // the page starts at its top
  }
}
