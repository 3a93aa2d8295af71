"""The command that makes a result again, as it is typed."""

import shlex

from plugin.request.job_file import option_name
from plugin.request.shot import Shot


def command_of(shot: Shot) -> str:
    """The command line of a shot, quoted for a POSIX shell; defaults are left out."""
    words = ["adamatte", "run"]
    plate = shell_word(shot.plate)
    words += ["--", plate] if shot.plate.startswith("-") else [plate]
    options: list[str] = []
    for name in Shot.model_fields:
        value, default = getattr(shot, name), Shot.model_fields[name].default
        if name == "plate" or value == default:
            continue
        option = option_name(name)
        if isinstance(value, bool):
            options.append(option if value else f"--no-{option.removeprefix('--')}")
        elif isinstance(value, tuple):
            options += [f"{option}={shell_word(each)}" for each in value]
        elif isinstance(value, frozenset):
            options += [f"{option}={','.join(sorted(value))}"] if value else []
        else:
            options.append(f"{option}={shell_word(str(value))}")
    return " ".join([*words[:2], *options, *words[2:]])


def shell_word(text: str) -> str:
    r"""One word of a shell. What cannot be seen, such as a line break, is spelt out: `$'a\nb'`."""
    if text.isprintable():
        return shlex.quote(text)
    return "$'" + "".join(map(_spelt, text)) + "'"


def _spelt(character: str) -> str:
    if character in "'\\":
        return "\\" + character
    if character.isprintable():
        return character
    if 0xDC80 <= ord(character) <= 0xDCFF:  # a byte of a file name that is not UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    encoded = character.encode("utf-8", "surrogatepass")
    return "".join(f"\\{byte:03o}" for byte in encoded)
