"""Writing a run's folder and swapping the pointer to it."""
