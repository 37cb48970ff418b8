"""Networks that find objects and their outlines, and where their published files are."""
