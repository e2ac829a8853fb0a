"""`--mode=benchmark`: timings on this machine."""
