"""The Parquet reader."""
