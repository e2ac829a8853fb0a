"""Runtime services: processes, signals, compilation, files and errors."""
