"""Cutting objects out of pictures."""
