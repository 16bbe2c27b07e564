"""The models on Apache Spark."""
