"""Polyloom: the engine (``app.engine``), the command line (``app.cli``) and the window (``app.ui``)."""
