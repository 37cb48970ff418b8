"""Steps on meshes."""
