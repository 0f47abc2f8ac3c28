"""The script `gallery`, and `python -m gallery`."""

from __future__ import annotations

from gallery.system import interrupts


def main() -> None:
    """Run the command line; Ctrl-C is looked after before anything heavy is imported."""
    interrupts.install()
    from gallery.cli import main as run

    run()


if __name__ == "__main__":
    main()
