import { useState } from "react";
import { Blurhash } from "./blurhash";
import type { Photo } from "./view";

/** The widths in pixels of the two sizes that Unsplash provides. */
const SMALL = 400;
const REGULAR = 1080;

interface Props {
  photo: Photo;
  query: string;
  /** The displayed width, in the syntax of the `sizes` attribute of an image. */
  sizes: string;
  /** Load the image with high priority, because it is visible without scrolling. */
  isPriority?: boolean;
}

/** Shows the photo's colour and blurhash until the image has loaded. The size of the frame does not change. */
export function PhotoFrame({ photo, query, sizes, isPriority = false }: Props) {
  const [state, setState] = useState<"loading" | "shown" | "broken">("loading");
  return (
    <div className="photo" style={{ backgroundColor: photo.color ?? undefined }} data-state={state}>
      {photo.blur_hash && <Blurhash hash={photo.blur_hash} />}
      <img
        src={photo.small}
        srcSet={`${photo.small} ${SMALL}w, ${photo.regular} ${REGULAR}w`}
        sizes={sizes}
        width={photo.width}
        height={photo.height}
        alt={photo.alt ?? `Photo of ${query}`}
        loading={isPriority ? "eager" : "lazy"}
        fetchPriority={isPriority ? "high" : "auto"}
        decoding="async"
        onLoad={() => setState("shown")}
        onError={() => setState("broken")}
      />
      {state === "broken" && <p className="broken">The image could not be loaded.</p>}
    </div>
  );
}

/** The attribution as Unsplash requires it: https://help.unsplash.com/en/articles/2511315-guideline-attribution */
export function Credit({ photo }: { photo: Photo }) {
  return (
    <p className="credit">
      Photo by <a href={photo.photographer.url}>{photo.photographer.name}</a> on{" "}
      <a href={photo.page}>Unsplash</a>
    </p>
  );
}
