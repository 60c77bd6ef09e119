"""The CuPy backend's place: it offers no backend yet. Importing this module imports no cupy."""
