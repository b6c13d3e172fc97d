import type { components, Job, JobContent } from "calo-client/api/types";
import { Link } from "wouter";
import type { KindView, ViewProps } from "../kind-view";
import { Credit, PhotoFrame } from "./photo-frame";

export type Photo = components["schemas"]["PhotoOutput"];

const SIZES = { card: "(max-width: 40rem) 100vw, 20rem", page: "(max-width: 60rem) 100vw, 60rem" };

function photoOf(job: Job): Photo | null {
  return job.output as Photo | null;
}

function Frame({ job, title, place, isPriority }: ViewProps) {
  const photo = photoOf(job);
  const frame = photo && (
    <PhotoFrame key={photo.id} photo={photo} query={title} sizes={SIZES[place]} isPriority={isPriority} />
  );
  if (place === "page") {
    return (
      photo && (
        <a href={photo.regular} aria-label={`Open the photo of ${title}`}>
          {frame}
        </a>
      )
    );
  }
  return (
    // not in the tab order, because the title below is a link to the same page
    <Link href={`/jobs/${job.id}`} className="cover" tabIndex={-1} aria-hidden={!photo}>
      {frame}
    </Link>
  );
}

function Notes({ job }: ViewProps) {
  const photo = photoOf(job);
  return photo && <Credit photo={photo} />;
}

function title({ input }: JobContent): string {
  return String(input.query);
}

function photos(count: number): string {
  return count === 1 ? "1 photo" : `${count} photos`;
}

export default {
  Frame,
  Notes,
  title,
  subject: (job) => `Photo of ${title(job)}`,
  limit: "Unsplash's hourly limit",
  form: {
    placeholders: { query: "What should the photo show? e.g. pasta" },
    amount: photos,
    submit: (count) => (count === 1 ? "Get photo" : `Get ${photos(count)}`),
  },
} satisfies KindView;
