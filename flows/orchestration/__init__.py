"""The Prefect flow around the stages, its deployments and time limits."""
