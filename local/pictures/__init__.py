"""`make pictures`: the pictures of the documents, and every page in every state, to look at."""
