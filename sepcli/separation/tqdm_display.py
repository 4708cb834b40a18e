"""Progress as a tqdm bar, which notebooks draw as their own."""

from __future__ import annotations

from pathlib import Path

from tqdm.auto import tqdm

from sepcli.separation.events import Event, Failed, Finished, Planned, Progress, Started


class TqdmDisplay:
    """A bar that counts seconds of audio."""

    def __init__(self, enabled: bool) -> None:
        self._bar = tqdm(unit="s", disable=not enabled)
        self._before = 0.0  # seconds done in earlier recordings

    def __enter__(self) -> TqdmDisplay:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def read(self, event: Event) -> None:
        """Take an event in."""
        if isinstance(event, Planned):
            self._bar.total = round(event.seconds, 1)
        elif isinstance(event, Started):
            self._bar.set_description(Path(event.path).name)
        elif isinstance(event, Progress):
            self._move(self._before + event.seconds)
        elif isinstance(event, Finished):
            self._before += event.seconds
        elif isinstance(event, Failed):
            tqdm.write(f"{event.path}: {event.error}")

    def _move(self, seconds: float) -> None:
        self._bar.n = round(seconds, 1)
        self._bar.refresh()
