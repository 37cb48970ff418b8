"""An image service over HTTP: which addresses are trusted, where the key comes from, asking, and reading the answer."""
