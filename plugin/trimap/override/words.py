"""An override file in words, and the schema that editors check it against."""

from typing import Any

from plugin.trimap.override.models import (
    ImageRule,
    OverrideFile,
    ParamsRule,
    PolygonRule,
    Rule,
    StrokeRule,
)
from plugin.trimap.override.override import Override


def explain(override: Override) -> str:
    """What the file does, one line a rule in the order in which they apply."""
    rules = override.file.rules
    plural = "" if len(rules) == 1 else "s"
    head = f"{override.path.name}: {len(rules)} rule{plural} for shot {override.file.shot!a}"
    lines = [
        f"  {place}. {rule.id} · frames {frames} · {_in_words(rule)}"
        for place, (rule, frames) in enumerate(zip(rules, override.frames, strict=True), 1)
    ]
    return "\n".join([head, *(f"  note: {text}" for text in override.warnings), *lines])


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `trimap-override/1`, generated from the models."""
    schema = OverrideFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _in_words(rule: Rule) -> str:
    match rule:
        case ParamsRule(params=params):
            given = (("erode", params.erode), ("dilate", params.dilate))
            return ", ".join(f"{name} {value:g} px" for name, value in given if value is not None)
        case ImageRule(image=image, mode=mode):
            how = "replaced by" if mode == "replace" else "painted over where opaque by"
            return f"{how} {image}"
        case PolygonRule(set=label, polygon=polygon):
            corners = len(next(iter(polygon.values())))
            keys = ", ".join(str(key) for key in sorted(int(key) for key in polygon))
            return f"{label} within a polygon of {corners} corners keyed on {keys}"
        case StrokeRule(set=label, stroke=stroke):
            points = len(stroke.points)
            what = f"a stroke of {points} points" if points > 1 else "a dab"
            return f"{label} along {what}, radius {stroke.radius:g} px"
