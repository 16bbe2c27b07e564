"""Extracts into DuckDB: which files, read exactly, mapped to the canonical columns of data/contracts."""

from transforms.extract.inputs import InputFile, find_inputs
from transforms.extract.load import load_extracts
from transforms.extract.mapping import Mapping, load_mapping

__all__ = ["InputFile", "Mapping", "find_inputs", "load_extracts", "load_mapping"]
