"""CSV files that are not UTF-8, read as if they were: the rest of the reader knows UTF-8 alone."""

import codecs
import re
from typing import BinaryIO

from transforms.errors import InputRejected

UTF_8 = "utf-8"
#: By the name that a mapping may say, how Python names it.
ENCODINGS = {
    UTF_8: UTF_8,
    "utf8": UTF_8,
    "cp1252": "cp1252",
    "windows-1252": "cp1252",
    "latin-1": "latin-1",
    "iso-8859-1": "latin-1",
    "utf-16": "utf-16",
}
# Latin-1 has control characters where cp1252 has curly quotes and dashes; text holds none of them.
_CP1252_ONLY = re.compile("[\x80-\x9f]")
_BYTE_ORDER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def as_utf8(handle: BinaryIO, file_name: str, encoding: str) -> "BinaryIO | AsUtf8":
    """The open file itself where it is UTF-8, else a reader that gives its text as UTF-8."""
    return handle if encoding == UTF_8 else AsUtf8(handle, file_name, encoding)


class AsUtf8:
    """Reads a binary file of another encoding as the bytes of UTF-8.

    What cannot be decoded comes out as bytes that are not UTF-8, so that it costs its row alone. `read` raises
    InputRejected where the whole file is of another encoding than was said.
    """

    def __init__(self, handle: BinaryIO, file_name: str, encoding: str):
        self._handle, self._file_name, self._encoding = handle, file_name, encoding
        self._is_wide = encoding == "utf-16"
        self._errors = "surrogatepass" if self._is_wide else "surrogateescape"
        self._decoder = None
        self._line = 1
        # Text in cp1252 or Latin-1 with letters beyond ASCII is all but never UTF-8 as well.
        self._as_utf8 = None if self._is_wide else codecs.getincrementaldecoder(UTF_8)()
        self._has_letters = False

    def read(self, size: int) -> bytes:
        """The next bytes, about `size` of them; none at the end of the file."""
        text, is_end = "", False
        while not text and not is_end:
            chunk = self._handle.read(size)
            is_end = len(chunk) < size
            text = self._decoded(chunk, is_end)
        return text.encode(UTF_8, self._errors)

    def _decoded(self, chunk: bytes, is_end: bool) -> str:
        if self._decoder is None:
            self._decoder = codecs.getincrementaldecoder(self._own_encoding(chunk))(self._errors)
        try:
            text = self._decoder.decode(chunk, is_end)
        except UnicodeDecodeError:
            raise self._refused("ends in the middle of a character of utf-16: copy or export it again") from None
        self._refuse_other(chunk, text, is_end)
        self._line += text.count("\n")
        return text

    def _own_encoding(self, start: bytes) -> str:
        if not self._is_wide or start.startswith(_BYTE_ORDER_MARKS):
            return self._encoding
        if not start or start[:2].count(0) == 1:
            return "utf-16-be" if start[:1] == b"\0" else "utf-16-le"
        raise self._refused("is not utf-16: correct encoding in the mapping")

    def _refuse_other(self, chunk: bytes, text: str, is_end: bool) -> None:
        """Raises InputRejected where the bytes show that the file is of another encoding."""
        if self._encoding == "latin-1" and (found := _CP1252_ONLY.search(text)):
            line = self._line + text.count("\n", 0, found.start())
            raise self._refused(
                'is not latin-1 but very likely Windows text: say encoding = "cp1252" in the mapping', line
            )
        if self._as_utf8 is None:
            return
        self._has_letters = self._has_letters or not chunk.isascii()
        try:
            self._as_utf8.decode(chunk, is_end)
        except UnicodeDecodeError:
            self._as_utf8 = None
            return
        if is_end and self._has_letters:
            raise self._refused(f"is UTF-8 and not {self._encoding}: take encoding out of the mapping")

    def _refused(self, why: str, line: int | None = None) -> InputRejected:
        place = f"{self._file_name}: line {line}" if line else self._file_name
        return InputRejected(f"{place}: {why}")
