"""The script `gallery`, and `python -m gallery`."""

from __future__ import annotations

import sys

from gallery.system import interrupts, memory


def main() -> None:
    """Run the command line; Ctrl-C is looked after before anything heavy is imported."""
    interrupts.install()
    try:
        from gallery.cli import main as run
    except Exception as error:
        if not memory.is_behind(error):
            raise
        print(f"gallery: {memory.SENTENCE}", file=sys.stderr)  # noqa: T201 - nothing else is there
        sys.exit(1)
    run()


if __name__ == "__main__":
    main()
