"""The charts of the report: what each one draws, and how it becomes SVG."""
