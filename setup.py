"""Lays what the code reads into the wheel: data/ of a checkout becomes minutewise_data/ beside the packages."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

DATA = Path(__file__).parent / "data"
SHIPPED = (
    "reference/*.csv",
    "contracts/*.csv",
    "mappings/*.toml",
    "samples/*.csv",
    "samples/reference/*.csv",
    "samples/README.md",
)


class BuildWithData(build_py):
    def run(self):
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "minutewise_data"
        shutil.rmtree(target, ignore_errors=True)
        for pattern in SHIPPED:
            for source in sorted(DATA.glob(pattern)):
                place = target / source.relative_to(DATA)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, place)


setup(cmdclass={"build_py": BuildWithData})
