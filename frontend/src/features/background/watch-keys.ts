import { KEEP_FOCUS } from "../../hooks/use-focus-on-navigation";

const EDITABLE = "input, textarea, select, [contenteditable]";
/** The first field of the form, after the choice of a kind. */
const FIELD = ".create form :is(input, textarea, select)";

/** `/` moves to the form, and Escape from a job's page to the list. Return a function that ends this. */
export function watchKeys(navigate: (path: string, options?: { state: unknown }) => void): () => void {
  function handleKey(event: KeyboardEvent): void {
    const target = event.target as Element;
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.defaultPrevented;
    if (!isPlain || target.matches(EDITABLE)) return;
    if (event.key === "/") {
      event.preventDefault();
      if (!focusField()) {
        navigate("/", { state: KEEP_FOCUS });
        requestAnimationFrame(focusField);
      }
    } else if (event.key === "Escape") {
      document.querySelector<HTMLElement>("a.back")?.click();
    }
  }
  document.addEventListener("keydown", handleKey);
  return () => document.removeEventListener("keydown", handleKey);
}

function focusField(): boolean {
  const field = document.querySelector<HTMLElement>(FIELD);
  field?.focus();
  return field !== null;
}
