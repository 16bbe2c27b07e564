"""What an unattended audit tells of itself: JSON lines on stderr, metrics, and a digest of what has changed.

Counts, dates, rule ids and our own messages only: what is told here leaves the run's folder, and no patient may.
"""
