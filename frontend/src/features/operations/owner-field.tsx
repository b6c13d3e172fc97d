import { useLocation } from "wouter";
import { KEEP_FOCUS } from "../../hooks/use-focus-on-navigation";

/** Chooses whose jobs the page is about. */
export function OwnerField({ owner }: { owner: string | undefined }) {
  const [, navigate] = useLocation();
  return (
    <form
      className="row"
      aria-label="Whose jobs"
      onSubmit={(event) => {
        event.preventDefault();
        const text = String(new FormData(event.currentTarget).get("owner")).trim();
        const isAll = text === "" || text === "*";
        navigate(isAll ? "/operations" : `/operations?owner=${encodeURIComponent(text)}`, {
          state: KEEP_FOCUS,
        });
      }}
    >
      <label>
        Owner
        <input
          name="owner"
          defaultValue={owner === "*" ? "" : owner}
          placeholder="all owners"
          pattern="[0-9a-f]{32}|public|\*"
          title="An owner's 32 digits, as in the logs"
          spellCheck={false}
          autoCapitalize="none"
        />
      </label>
      <button type="submit" className="button">
        Show
      </button>
    </form>
  );
}
