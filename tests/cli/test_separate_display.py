"""What is shown while recordings are separated, several of them at once."""

from __future__ import annotations

import pytest

from sepcli.cli.display import RichDisplay, display_for
from sepcli.separation.events import Event, Failed, Finished, Progress, Skipped, Started


def bars(events: list[Event]) -> dict[str, float]:
    """Name -> seconds done, of the bars that are there after events."""
    display = display_for("rich", dry_run=False)
    assert isinstance(display, RichDisplay)
    with display:
        for event in events:
            display.read(event)
        return {task.description: task.completed for task in display._progress.tasks}


END: list[Event] = [
    Finished("in/a.wav", 9.0, 1.0, 1.0, None),
    Skipped("in/a.wav", ()),
    Failed("in/a.wav", "broken", "mend it", 1),
]


def test_every_recording_at_work_has_a_bar() -> None:
    started: list[Event] = [Started("in/a.wav", 0, 9.0), Started("in/b.wav", 1, 5.0)]
    assert bars(started) == {"a.wav": 0.0, "b.wav": 0.0}
    assert bars([*started, Progress("in/a.wav", 4.0)]) == {"a.wav": 4.0, "b.wav": 0.0}
    assert bars([Progress("in/a.wav", 4.0)]) == {}


@pytest.mark.parametrize("end", END, ids=lambda event: type(event).__name__)
def test_a_recording_s_bar_goes_with_its_end(end: Event) -> None:
    started: list[Event] = [Started("in/a.wav", 0, 9.0), Started("in/b.wav", 1, 5.0)]
    assert bars([*started, end, Progress("in/b.wav", 2.0)]) == {"b.wav": 2.0}
