"""``python -m longshore``: the same program, for whose scripts are not on the PATH."""

from longshore.cli.entry import main

if __name__ == "__main__":
    main()
