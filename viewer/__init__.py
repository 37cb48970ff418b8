"""Show payloads: meshes in a PyVista viewport, pictures in a Qt view."""
