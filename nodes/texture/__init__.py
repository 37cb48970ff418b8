"""Texture maps: baking, PBR."""
