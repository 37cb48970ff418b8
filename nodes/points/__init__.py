"""Steps on point clouds."""
