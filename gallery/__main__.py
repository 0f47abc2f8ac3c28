"""`python -m gallery` is the command `gallery`."""

from gallery.cli import main

if __name__ == "__main__":
    main()
