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
    try:
        run()
    except SystemExit as end:
        # Imported where a package's part was asked for.
        patience = sys.modules.get("gallery.system.patience")
        if patience is not None:
            patience.leave(end.code)
        raise


if __name__ == "__main__":
    main()
