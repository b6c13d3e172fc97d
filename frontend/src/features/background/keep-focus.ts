/**
 * When the focused element is removed, move the focus to its card, or to the card at its place, or to the
 * content. Otherwise the browser moves it to the body, and users of a keyboard start again at the top. Return a function that ends this.
 */
export function keepFocus(): () => void {
  const container = document.querySelector("main");
  if (!container) return () => {};
  const controller = new AbortController();
  const options = { signal: controller.signal };
  let focused: Element | null = null;
  let card: Element | null = null;
  let index = 0;

  const cards = () => [...container.querySelectorAll(".card")];
  function remember({ target }: { target: EventTarget | null }): void {
    focused = target as Element;
    card = focused.closest(".card");
    index = card ? cards().indexOf(card) : 0;
  }
  function forgetIfLeft(): void {
    // not if it was removed, and not if only the window has lost the focus
    if (focused?.isConnected && focused !== document.activeElement) focused = null;
  }
  function handleChange(): void {
    if (focused === null) return;
    if (card?.isConnected) index = cards().indexOf(card);
    if (focused.isConnected || document.activeElement !== document.body) return;
    const place = card?.isConnected ? card : card && cards()[Math.min(index, cards().length - 1)];
    const title = place?.querySelector<HTMLElement>("h2 a, h2[tabindex]");
    if (title) title.focus();
    else container?.focus({ preventScroll: true });
  }

  container.addEventListener("focusin", remember, options);
  if (container.contains(document.activeElement)) remember({ target: document.activeElement });
  container.addEventListener("focusout", () => setTimeout(forgetIfLeft), options);
  const observer = new MutationObserver(handleChange);
  observer.observe(container, { childList: true, subtree: true });
  return () => {
    controller.abort();
    observer.disconnect();
  };
}
