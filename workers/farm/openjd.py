"""Open Job Description: a bundle of `template.yaml` and the job file.

Specification: https://github.com/OpenJobDescription/openjd-specifications, `jobtemplate-2023-09`
with the extension TASK_CHUNKING (RFC 0001). A chunk of contiguous frames arrives as `1001-1016`,
which `--frames` takes as it is; where frames have gaps, the scheduler makes chunks without.

User's texts stand only in defaults of parameters, which are not format strings: nothing that a file
is called is ever looked at as a template or by a shell.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from plugin.errors import ShotError

if TYPE_CHECKING:
    from workers.farm.job import FarmJob

_TEMPLATE = """\
# Made by `adamatte farm openjd`. `openjd run template.yaml` does it here; a scheduler of
# Open Job Description does it on its machines, which must see the same paths.
specificationVersion: jobtemplate-2023-09
extensions: [TASK_CHUNKING]
name: {title}
parameterDefinitions:
  - name: Frames
    type: STRING
    default: {frames}
    description: Which frames, such as 1001-1100 or 1001-1100:2.
  - name: ChunkSize
    type: INT
    default: {chunk}
    minValue: 1
    description: Frames a task.
  - name: JobFile
    type: PATH
    objectType: FILE
    dataFlow: IN
    default: adamatte.toml
    description: What to do with the shot, as `adamatte run --job` reads it.
  - name: OutputFolder
    type: PATH
    objectType: DIRECTORY
    dataFlow: OUT
    default: "."
    description: The shot's output folder, where this bundle lies.
  - name: Program
    type: STRING
    default: {program}
    description: The adamatte command on the farm's machines.
steps:
{steps}"""

_FIRST = """\
  - name: Track
    description: Carries the key frames' masks through the whole shot, once, for all tasks.
    script:
      actions:
        onRun:
          command: "{{{{Param.Program}}}}"
          args: [run, --job, "{{{{Param.JobFile}}}}", --out, "{{{{Param.OutputFolder}}}}",
                 --frames, "{first}", --progress, openjd]
          cancelation: {{mode: NOTIFY_THEN_TERMINATE, notifyPeriodInSeconds: 30}}
"""

_MATTE = """\
  - name: Matte
    description: Mattes the frames; safe to run twice and in any order.
{extra}    parameterSpace:
      taskParameterDefinitions:
        - name: Frame
          type: CHUNK[INT]
          range: "{{{{Param.Frames}}}}"
          chunks:
            defaultTaskCount: "{{{{Param.ChunkSize}}}}"
            rangeConstraint: CONTIGUOUS
    script:
      actions:
        onRun:
          command: "{{{{Param.Program}}}}"
          args: [run, --job, "{{{{Param.JobFile}}}}", --out, "{{{{Param.OutputFolder}}}}",
                 --frames, "{{{{Task.Param.Frame}}}}", --progress, openjd]
          cancelation: {{mode: NOTIFY_THEN_TERMINATE, notifyPeriodInSeconds: 30}}
"""

_LONGEST = 1024
"""Characters of a text parameter (Open Job Description, template schemas, 2.1)."""

_AFTER = "    dependencies: [{dependsOn: Track}]\n"
_GPU = "    hostRequirements: {amounts: [{name: amount.worker.gpu, min: 1}]}\n"


def files(job: FarmJob) -> dict[str, str]:
    """`template.yaml`.

    Raises:
        ShotError: the frames' ranges are longer than the specification allows.
    """
    extra = (_AFTER if job.in_order else "") + (_GPU if job.shot.device == "cuda" else "")
    first = _FIRST.format(first=job.first_frames) if job.in_order else ""
    frames = str(job.frames).replace("x", ":")
    for what, said in (("of frame ranges", frames), ("of the program's path", job.program)):
        if len(said) > _LONGEST:
            raise ShotError(
                f"{len(said)} characters {what}, a job of OpenJD takes {_LONGEST}",
                where=f"{said[:60]}…",
                fix="write several jobs, each with a part of the --frames",
            )
    text = _TEMPLATE.format(
        title=_quoted(job.title[:128]),
        frames=_quoted(frames),
        chunk=job.chunk,
        program=_quoted(job.program),
        steps=first + _MATTE.format(extra=extra),
    )
    return {"template.yaml": text}


def _quoted(text: str) -> str:
    """A text as YAML: JSON's quotes and escapes are YAML's too, as long as it stands as it is.

    Escaped, a character beyond U+FFFF would be two, and YAML has no pairs of halves. What YAML does
    not take as it is, and what is half a character, a byte of a name that is no UTF-8, is escaped.
    """
    return "".join(
        c if c.isprintable() else json.dumps(c)[1:-1] if ord(c) < 0x10000 else f"\\U{ord(c):08x}"
        for c in json.dumps(text, ensure_ascii=False)
    )
