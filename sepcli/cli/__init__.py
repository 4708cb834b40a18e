"""One file per command: parse, call, render. No torch at import, no logic."""
