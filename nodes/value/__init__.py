"""Text and numbers."""
