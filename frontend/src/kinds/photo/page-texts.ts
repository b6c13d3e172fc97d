import type { PageTexts } from "../page-texts";
import type { Photo } from "./view";

const ACCESS_KEY = "An operator of this site has to check its Unsplash access key. Then try again.";

export default {
  another: ({ input }) => `Another photo of ${input.query}`,
  links: ({ id, output }) => {
    const photo = output as Photo | null;
    return photo
      ? [
          { text: "Open original", href: photo.regular },
          { text: "Download", href: photo.regular, download: `calo-${id}.jpg` },
        ]
      : [];
  },
  help: {
    no_photos: "Ask for something more general, such as “pasta”.",
    rejected: "Ask for something else.",
    unauthorized: ACCESS_KEY,
    forbidden: ACCESS_KEY,
    unavailable: "Unsplash has a problem. Try again in some minutes.",
    unreachable: "Unsplash has a problem. Try again in some minutes.",
  },
} satisfies PageTexts;
