"""The command `posedata`, and `python -m posedata`."""

import signal


def main() -> None:
    """Entry point of both."""
    # Who interrupts the imports sees no traceback of them; `ending.run` takes over before there is anything to undo.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from posedata.cli import main as command

    command()


if __name__ == "__main__":
    main()
