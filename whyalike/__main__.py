"""`python -m whyalike` is `whyalike`."""

from whyalike.app import run

if __name__ == "__main__":
    run()
