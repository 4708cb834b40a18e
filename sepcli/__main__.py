"""`python -m sepcli`."""

from sepcli.cli.main import main

if __name__ == "__main__":
    main()
