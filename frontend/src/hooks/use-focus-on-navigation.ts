import { type RefObject, useEffect, useRef } from "react";
import { useLocation, useSearch } from "wouter";

/** The state of a navigation that leaves the focus where it is. */
export const KEEP_FOCUS = "keep-focus";

/**
 * After a navigation, move the focus to the content for keyboards and screen readers, and scroll to the top.
 * After Back or Forward, keep the scroll position that the browser restores.
 */
export function useFocusOnNavigation(content: RefObject<HTMLElement | null>): void {
  const [path] = useLocation();
  const url = `${path}?${useSearch()}`;
  const previousUrl = useRef(url);
  const isHistoryNavigation = useRef(false);
  useEffect(() => {
    const handlePopState = () => {
      isHistoryNavigation.current = true;
    };
    window.addEventListener("popstate", handlePopState);
    return () => window.removeEventListener("popstate", handlePopState);
  }, []);
  useEffect(() => {
    if (url === previousUrl.current) return;
    previousUrl.current = url;
    if (history.state !== KEEP_FOCUS) content.current?.focus({ preventScroll: true });
    if (!isHistoryNavigation.current) window.scrollTo(0, 0);
    isHistoryNavigation.current = false;
  }, [url, content]);
}
