"""An object file of WebAssembly -> a module that a browser runs, without a linker.

The object file has one unit that calls nothing outside itself and holds no data, so that all its references are final.
What a linker would still do: export functions, and leave its own sections out.
"""

from collections.abc import Iterator

MAGIC = b"\0asm\1\0\0\0"
CUSTOM, IMPORT, FUNCTIONS, EXPORT, CODE, DATA = 0, 2, 3, 7, 10, 11  # numbers of sections
FUNCTION, MEMORY, GLOBAL = 0, 2, 3  # kinds of what is imported or exported
EXPECTED = {("env", "__linear_memory", MEMORY), ("env", "__stack_pointer", GLOBAL)}
LINKING, SYMBOLS = "linking", 8  # a custom section, and its part that names functions
UNDEFINED, EXPLICIT = 0x10, 0x40  # flags of a symbol


class Reader:
    """Reads a module's bytes from the front."""

    def __init__(self, content: bytes):
        self.content, self.at = content, 0

    def __bool__(self) -> bool:
        return self.at < len(self.content)

    def take(self, count: int) -> bytes:
        self.at += count
        return self.content[self.at - count : self.at]

    def number(self) -> int:
        """An unsigned LEB128."""
        value = shift = 0
        while True:
            (byte,) = self.take(1)
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    def text(self) -> str:
        return self.take(self.number()).decode()


def executable(object_file: bytes, exported: list[str]) -> bytes:
    """The module. Raises ValueError where the object file would need a linker, or a function is not in it."""
    parts = list(sections(object_file))
    numbers: dict[str, int] = {}
    for section, content in parts:
        if section == IMPORT:
            check_imports(content)
        elif section == DATA:
            raise ValueError("the object file holds data: expected functions alone")
        elif section == CUSTOM:
            numbers |= function_numbers(content)
    if missing := [name for name in exported if name not in numbers]:
        raise ValueError(f"the object file has no {missing[0]}: expected one of {', '.join(numbers)}")
    exports = leb(len(exported))
    for name in exported:
        exports += leb(len(name)) + name.encode() + bytes([FUNCTION]) + leb(numbers[name])
    kept = sorted([*(part for part in parts if part[0] != CUSTOM), (EXPORT, exports)])
    return MAGIC + b"".join(bytes([section]) + leb(len(content)) + content for section, content in kept)


def sections(module: bytes) -> Iterator[tuple[int, bytes]]:
    """(number, content) of each section."""
    reader = Reader(module)
    if reader.take(len(MAGIC)) != MAGIC:
        raise ValueError("not WebAssembly of version 1")
    while reader:
        (section,) = reader.take(1)
        yield section, reader.take(reader.number())


def check_imports(content: bytes) -> None:
    """Raises ValueError if anything is imported but the memory and the pointer to the stack in it."""
    reader = Reader(content)
    for _ in range(reader.number()):
        module, name, (kind,) = reader.text(), reader.text(), reader.take(1)
        if (module, name, kind) not in EXPECTED:
            raise ValueError(f"the object file calls {name!r}, which is not in it")
        if kind == MEMORY:
            limits = reader.number()
            reader.number()
            if limits & 1:
                reader.number()
        else:
            reader.take(2)  # its type, and whether it changes


def function_numbers(content: bytes) -> dict[str, int]:
    """Name -> number of each function that a custom section defines."""
    reader = Reader(content)
    if reader.text() != LINKING:
        return {}
    reader.number()  # the version of the section
    while reader:
        (part,), size = reader.take(1), reader.number()
        if part == SYMBOLS:
            return dict(symbols(Reader(reader.take(size))))
        reader.take(size)
    return {}


def symbols(reader: Reader) -> Iterator[tuple[str, int]]:
    for _ in range(reader.number()):
        (kind,), flags, number = reader.take(1), reader.number(), reader.number()
        if not flags & UNDEFINED or flags & EXPLICIT:
            name = reader.text()
            if kind == FUNCTION:
                yield name, number


def leb(number: int) -> bytes:
    """Unsigned LEB128."""
    content = b""
    while number > 0x7F:
        content += bytes([number & 0x7F | 0x80])
        number >>= 7
    return content + bytes([number])
