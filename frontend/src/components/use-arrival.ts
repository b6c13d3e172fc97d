import { type RefObject, useEffect, useRef } from "react";
import { useLocation, useSearch } from "wouter";

/**
 * Another address is another page, for the keyboard and for screen readers too: focus goes to its content, and
 * it is shown from its top. Going back is left to the browser, which remembers where one was.
 */
export function useArrival(content: RefObject<HTMLElement | null>): void {
  const [path] = useLocation();
  const address = `${path}?${useSearch()}`;
  const last = useRef(address);
  const wentBack = useRef(false);
  useEffect(() => {
    const note = () => {
      wentBack.current = true;
    };
    window.addEventListener("popstate", note);
    return () => window.removeEventListener("popstate", note);
  }, []);
  useEffect(() => {
    if (address === last.current) return;
    last.current = address;
    content.current?.focus({ preventScroll: true });
    if (!wentBack.current) window.scrollTo(0, 0);
    wentBack.current = false;
  }, [address, content]);
}
