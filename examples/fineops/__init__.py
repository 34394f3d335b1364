"""An application that acts as FineOps: it shows the wizard in a frame, from another origin.

`python -m examples.fineops` makes its key and the file for WIZARD_EMBED, then serves its page. docs/embedding.md is the
contract that it keeps.
"""
