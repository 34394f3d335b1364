"""How whatever measures says what it measured: one line a figure, and a short one is never hidden."""

import operator
from collections.abc import Callable, Mapping

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {"<=": operator.le, ">=": operator.ge, "=": operator.eq}


def tell(name: str, value: float, comparison: str, goal: float, *, digits: int = 0) -> bool:
    """Print `figure NAME VALUE goal OP VALUE ok` (or `short`), with so many decimals. Whether the goal is met."""
    met = COMPARISONS[comparison](value, goal)
    print(f"figure {name} {value:.{digits}f} goal {comparison} {goal:g} {'ok' if met else 'short'}", flush=True)
    return met
