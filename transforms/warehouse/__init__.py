"""The warehouse's tables: taking in deliveries, and the dates that a night recomputes."""
