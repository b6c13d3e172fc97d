interface Props {
  name: string;
  signOut: () => Promise<void>;
}

/** Who is signed in. */
export function Account({ name, signOut }: Props) {
  return (
    <div className="account">
      <span className="name" title={name}>
        <span className="visually-hidden">Signed in as </span>
        {name}
      </span>
      <button type="button" className="text-button" onClick={() => void signOut()}>
        Sign out
      </button>
    </div>
  );
}
