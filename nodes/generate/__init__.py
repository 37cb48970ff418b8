"""Steps on pictures."""
