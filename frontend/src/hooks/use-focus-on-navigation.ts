import { type RefObject, useEffect, useRef } from "react";
import { useLocation, useSearch } from "wouter";

/** The state of a navigation that leaves the focus where it is. */
export const KEEP_FOCUS = "keep-focus";

let isHistoryNavigation = false;
// before the listener of the router, which shows the page before the next listener is called
window.addEventListener("popstate", () => {
  isHistoryNavigation = true;
});

/**
 * After a navigation, move the focus to the content for keyboards and screen readers, and scroll to the top.
 * After Back or Forward, focus the link that was used on this page before, and keep the scroll position that the
 * browser restores.
 */
export function useFocusOnNavigation(content: RefObject<HTMLElement | null>): void {
  const [path] = useLocation();
  const url = `${path}?${useSearch()}`;
  const previousUrl = useRef(url);
  const focused = useRef<Element>(null);
  const usedLinks = useRef(new Map<string, string>());
  useEffect(() => {
    const handleFocus = ({ target }: FocusEvent) => {
      focused.current = target as Element;
    };
    document.addEventListener("focusin", handleFocus);
    return () => document.removeEventListener("focusin", handleFocus);
  }, []);
  useEffect(() => {
    if (url === previousUrl.current) return;
    usedLinks.current.set(previousUrl.current, focused.current?.getAttribute("href") ?? "");
    previousUrl.current = url;
    if (history.state !== KEEP_FOCUS) {
      const href = isHistoryNavigation && usedLinks.current.get(url);
      const link = href && content.current?.querySelector<HTMLElement>(`a[href="${CSS.escape(href)}"]`);
      (link || content.current)?.focus({ preventScroll: true });
    }
    if (!isHistoryNavigation) window.scrollTo(0, 0);
    isHistoryNavigation = false;
  }, [url, content]);
}
