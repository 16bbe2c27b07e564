"""Lays what the code reads into the wheel: data/ of a checkout, and the rule book that its tables cite, become
minutewise_data/ beside the packages."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
#: Below which folder of the checkout -> what of it.
SHIPPED = {
    "data": (
        "reference/*.csv",
        "contracts/*.csv",
        "mappings/*.toml",
        "samples/*.csv",
        "samples/reference/*.csv",
        "samples/README.md",
    ),
    ".": ("docs/rules.md",),
}


class BuildWithData(build_py):
    def run(self):
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "minutewise_data"
        shutil.rmtree(target, ignore_errors=True)
        for folder, patterns in SHIPPED.items():
            for pattern in patterns:
                for source in sorted((ROOT / folder).glob(pattern)):
                    place = target / source.relative_to(ROOT / folder)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source, place)


setup(cmdclass={"build_py": BuildWithData})
