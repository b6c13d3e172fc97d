/**
 * How the jobs of a kind are shown. A kind may bring its own view: the default export of
 * `<name>/view.tsx`. All others, also unknown ones, have the general view. The code of a view is loaded when it is first needed.
 */

import { type ComponentType, useEffect, useSyncExternalStore } from "react";
import type { Job, JobContent, Kind } from "../api/types";

export interface ViewProps {
  job: Job;
  title: string;
  kind: Kind | undefined;
  place: "card" | "page";
  /** The card is visible without scrolling. */
  isPriority: boolean;
}

export interface FormTexts {
  /** By the name of the field. */
  placeholders: Record<string, string>;
  amount(count: number): string;
  submit(count: number): string;
}

export interface KindView {
  /** The content of the frame: the picture, or the output. */
  Frame: ComponentType<ViewProps>;
  /** Below the frame or in the card's caption. */
  Notes?: ComponentType<ViewProps>;
  /** The frame of a page grows with its content. By default it has the shape of a picture. */
  isFlexible?: boolean;
  title?(job: JobContent): string;
  /** What is ready, has failed, …: the title unless given. */
  subject?(job: JobContent): string;
  /** What people call the rate limit that the jobs wait for. */
  limit?: string;
  /** The form shows its only field without a label, in one line with the button. */
  form?: FormTexts;
}

type Module = { default: KindView };

const LOADERS = import.meta.glob<Module>("./*/view.tsx");
const GENERAL = "general-view";
const views = new Map<string, KindView>();
const loading = new Map<string, Promise<void>>();
const listeners = new Set<() => void>();

function nameOfView(kind: string): string {
  return Object.hasOwn(LOADERS, `./${kind}/view.tsx`) ? kind : GENERAL;
}

/** Load the code of a kind's view, unless it has been. Never rejects. */
export async function loadView(kind: string): Promise<void> {
  const name = nameOfView(kind);
  if (views.has(name) || loading.has(name)) return loading.get(name);
  const load = LOADERS[`./${name}/view.tsx`] ?? (() => import("./general-view"));
  const promise = load()
    .then((module) => {
      views.set(name, module.default);
      for (const listener of listeners) listener();
    })
    // without a network, or after a deployment: the next component that needs it tries again
    .catch(() => undefined)
    .finally(() => loading.delete(name));
  loading.set(name, promise);
  return promise;
}

/** Return the view, or undefined while it is not loaded. */
export function viewOf(kind: string): KindView | undefined {
  return views.get(nameOfView(kind));
}

/** Return the view of a kind, if it is known, as soon as it is loaded. */
export function useView(kind: string | undefined): KindView | undefined {
  const view = useSyncExternalStore(subscribe, () => (kind === undefined ? undefined : viewOf(kind)));
  useEffect(() => {
    if (kind !== undefined) void loadView(kind);
  }, [kind]);
  return view;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
