import type { components, Job, JobContent } from "calo-client/api/types";
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
  return <div className="cover">{frame}</div>; // the link of the title lies over it
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
  subject: (job, count) => `${count === 1 ? "Photo" : photos(count)} of ${title(job)}`,
  limit: "Unsplash's hourly limit",
  edit: { text: "Edit topic", codes: ["no_photos", "rejected"] },
  form: {
    placeholders: { query: "What should the photo show? e.g. pasta" },
    amount: photos,
    submit: (count) => (count === 1 ? "Get photo" : `Get ${photos(count)}`),
    empty: { title: "No photos yet", text: "Type a topic above. Your photo will appear here." },
  },
} satisfies KindView;
