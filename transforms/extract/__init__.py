"""Extracts into DuckDB: which files, read exactly, mapped to the canonical columns of data/contracts."""

from transforms.extract.inputs import InputFile, find_inputs
from transforms.extract.load import load_extracts, require_sound_files, telling_of_files
from transforms.extract.mapping.mapping import Mapping, load_mapping

__all__ = [
    "InputFile",
    "Mapping",
    "find_inputs",
    "load_extracts",
    "load_mapping",
    "require_sound_files",
    "telling_of_files",
]
