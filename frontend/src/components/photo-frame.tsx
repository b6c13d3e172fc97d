import { useState } from "react";
import type { Photo } from "../api/types";
import { Blurhash } from "./blurhash";

/** Widths in pixels of the two sizes that Unsplash gives. */
const SMALL = 400;
const REGULAR = 1080;

interface Props {
  photo: Photo;
  query: string;
  /** How wide it is shown, as in the attribute `sizes` of an image. */
  sizes: string;
  /** At the top of the page: worth loading before all else. */
  isFirst?: boolean;
}

/** Colour and blurhash at once, the photo over them when it has come; the frame keeps its size. */
export function PhotoFrame({ photo, query, sizes, isFirst = false }: Props) {
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
        alt={photo.alt ?? `A photo of ${query}`}
        loading={isFirst ? "eager" : "lazy"}
        fetchPriority={isFirst ? "high" : "auto"}
        decoding="async"
        onLoad={() => setState("shown")}
        onError={() => setState("broken")}
      />
      {state === "broken" && <p className="broken">The image could not be loaded.</p>}
    </div>
  );
}

/** As https://help.unsplash.com/en/articles/2511315-guideline-attribution asks. */
export function Credit({ photo }: { photo: Photo }) {
  return (
    <p className="credit">
      Photo by <a href={photo.photographer.url}>{photo.photographer.name}</a> on{" "}
      <a href={photo.page}>Unsplash</a>
    </p>
  );
}
