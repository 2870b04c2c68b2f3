"""The command `posetrain`, and `python -m posetrain`, which is what torchrun starts."""

import signal


def main() -> None:
    """Entry point of both."""
    # Who interrupts the imports sees no traceback of them; `ending.run` takes over before there is anything to undo.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from posetrain.cli import main as command

    command()


if __name__ == "__main__":
    main()
