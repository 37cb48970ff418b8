"""How a mesh behaves as a body: mass, standing, falling, collision."""
