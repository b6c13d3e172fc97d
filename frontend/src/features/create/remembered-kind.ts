/** The kind of job that was chosen last in this browser. */

const KEY = "calo-kind";

export const DEFAULT_KIND = "photo";

/** Return the kind. The browser may not allow a page to store anything. */
export function rememberedKind(): string {
  try {
    return localStorage.getItem(KEY) ?? DEFAULT_KIND;
  } catch {
    return DEFAULT_KIND;
  }
}

export function rememberKind(name: string): void {
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // it is chosen again next time
  }
}
