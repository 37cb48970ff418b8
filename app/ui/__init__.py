"""The window. Qt lives here and in ``viewer``; nothing below knows that it exists."""
