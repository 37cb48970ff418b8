"""One picture to a mesh."""
