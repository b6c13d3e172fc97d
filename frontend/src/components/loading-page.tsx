interface Props {
  /** Whether the last attempt to load the page's code failed. */
  hasFailed: boolean;
}

/** Shown while the code of a page is loaded. */
export function LoadingPage({ hasFailed }: Props) {
  return (
    <section className="job" aria-busy={!hasFailed}>
      <title>Calo</title>
      {hasFailed ? (
        <div className="problem" role="alert">
          <p>This page couldn't be loaded. Trying again…</p>
          <button type="button" className="button" onClick={() => location.reload()}>
            Reload
          </button>
        </div>
      ) : (
        <div className="frame" data-status="pending" />
      )}
    </section>
  );
}
