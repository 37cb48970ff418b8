"""The node types that come with Polyloom. Each file holds one node or one small family; see README.md."""
