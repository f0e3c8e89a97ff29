"""Live lessons. Nothing is built here yet; the folder marks the place in the floor plan."""
