/** What the page of a job says and offers. A kind may bring its own: the default export of `<name>/page-texts.ts`. */

import type { Job, JobContent } from "calo-client/api/types";

export interface JobLink {
  text: string;
  href: string;
  /** The name of the file, for a link that downloads. */
  download?: string;
}

export interface PageTexts {
  /** The button that creates another job like this. */
  another?(job: JobContent): string;
  links?(job: Job): JobLink[];
  /** What to do about an error, by its code. */
  help?: Record<string, string>;
}

const HELP: Record<string, string> = {
  bad_input: "The input is no longer valid for this kind of job. Edit it to create a new job.",
  bad_output: "This is a fault in the code of this kind of job. Try again after it has been corrected.",
  no_secret: "An operator of this site has to store a secret for this kind of job. Then try again.",
  timeout: "Try again, or ask for less.",
};
const GENERAL_HELP = "Try again. If it fails again, tell an operator of this site the code and the job's id.";

const TEXTS = import.meta.glob<{ default: PageTexts }>("./*/page-texts.ts", { eager: true });

export function pageTextsOf(kind: string): PageTexts {
  return TEXTS[`./${kind}/page-texts.ts`]?.default ?? {};
}

/** Return what to do about the error of a job. */
export function helpFor(kind: string, code: string): string {
  return pageTextsOf(kind).help?.[code] ?? HELP[code] ?? GENERAL_HELP;
}
