import type { ReactNode } from "react";
import { Link } from "wouter";

export function NotFound({ children }: { children: ReactNode }) {
  return (
    <section className="empty-state not-live">
      <title>Not found · Calo</title>
      <h1>Not found</h1>
      <p>{children}</p>
      <Link href="/" className="button">
        All jobs
      </Link>
    </section>
  );
}
