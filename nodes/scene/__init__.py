"""Scenes of several meshes: take apart, change, put together."""
