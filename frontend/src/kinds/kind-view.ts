/**
 * How the jobs of a kind are shown. A kind may bring its own view: the default export of
 * `<name>/view.tsx`. All others, also unknown ones, have the general view. The code of a view is loaded when it is first needed.
 */

import type { Job, JobContent, Kind } from "calo-client/api/types";
import type { ComponentType } from "react";
import { Loadable, useLoaded } from "../hooks/loadable";

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
  /** Where the first job will appear. */
  empty: { title: string; text: string };
}

export interface KindView {
  /** The content of the frame: the picture, or the output. */
  Frame: ComponentType<ViewProps>;
  /** Below the frame or in the card's caption. */
  Notes?: ComponentType<ViewProps>;
  /** The frame of a page grows with its content. By default it has the shape of a picture. */
  isFlexible?: boolean;
  title?(job: JobContent): string;
  /** What this number of jobs is called in sentences: "… is ready". The title unless given. */
  subject?(job: JobContent, count: number): string;
  /** What people call the rate limit that the jobs wait for. */
  limit?: string;
  /** Errors, by code, after which only another input helps, and the link that edits it. */
  edit?: { text: string; codes: readonly string[] };
  /** The form shows its only field without a label, in one line with the button. */
  form?: FormTexts;
}

type Module = { default: KindView };

const GENERAL = "general-view";
const VIEWS = new Map<string, Loadable<KindView>>([
  [GENERAL, loadableView(() => import("./general-view"))],
  ...Object.entries(import.meta.glob<Module>("./*/view.tsx")).map(
    ([path, load]) => [path, loadableView(load)] as const,
  ),
]);

function loadableView(load: () => Promise<Module>): Loadable<KindView> {
  return new Loadable(async () => (await load()).default);
}

function loadableOf(kind: string): Loadable<KindView> | undefined {
  return VIEWS.get(`./${kind}/view.tsx`) ?? VIEWS.get(GENERAL);
}

/** Load the code of a kind's view, unless it has been. Never rejects. */
export async function loadView(kind: string): Promise<void> {
  await loadableOf(kind)?.load();
}

/** Return the view, or undefined while it is not loaded. */
export function viewOf(kind: string): KindView | undefined {
  return loadableOf(kind)?.value();
}

/** Return the view of a kind, if it is known, as soon as it is loaded. */
export function useView(kind: string | undefined): KindView | undefined {
  return useLoaded(kind === undefined ? undefined : loadableOf(kind));
}
