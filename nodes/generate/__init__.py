"""Pictures out of words and other pictures."""
