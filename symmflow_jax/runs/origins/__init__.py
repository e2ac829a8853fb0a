"""Runs whose weights another training uses: to begin with, or as a teacher."""
