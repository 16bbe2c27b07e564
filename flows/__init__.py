"""The way through: the stages in order, the command line, the Prefect flow, publishing."""
