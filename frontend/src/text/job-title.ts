/** What people call a job. */

import type { JobContent, Kind } from "calo-client/api/types";

const MAX_LENGTH = 80;

/** Return the title of the job's kind and the value of its label. An unknown kind has only its name. */
export function jobTitle({ kind, input }: JobContent, kinds: readonly Kind[] | undefined): string {
  const declaration = kinds?.find(({ name }) => name === kind);
  if (!declaration) return kind;
  const value = declaration.label === null ? undefined : input[declaration.label];
  const label = typeof value === "string" || typeof value === "number" ? String(value).trim() : "";
  const letters = [...label];
  const text = letters.length > MAX_LENGTH ? `${letters.slice(0, MAX_LENGTH).join("")}…` : label;
  return text ? `${declaration.title}: ${text}` : declaration.title;
}
